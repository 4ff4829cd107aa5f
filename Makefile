# The commands of the project; `make help` lists them.

SHELL := /bin/bash
BIND ?= 127.0.0.1:8000
export PYTHONDONTWRITEBYTECODE ?= 1

# The first supported Python that really runs: version managers leave names that do not.
export SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c '$(SUPPORTED)' 2>/dev/null \
	&& { command -v $$python; break; }; done)

BIN := .venv/bin
MANAGE := $(BIN)/python manage.py
PORT := $(lastword $(subst :, ,$(BIND)))
DEVELOPMENT := REGISTRY_TOKEN_REGISTRY_REALM=http://localhost:$(PORT)/token \
	REGISTRY_TOKEN_CONFIG=var/development/registry-token.yaml

.PHONY: help setup run test lint format test-postgres e2e test-faults bench bench-audit fuzz audit sbom screenshots coverage lock clean
.DEFAULT_GOAL := help

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c "$$SUPPORTED" || { echo "Python 3.11, 3.12 or 3.13 is needed; none was found." >&2; exit 1; }
	@"$(PYTHON)" -m venv .venv || { rm -rf .venv; \
		echo "The venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }

.venv/runtime: requirements.txt | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

.venv/dev: requirements-dev.txt | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ .venv/runtime

setup: .venv/runtime check-bind ## make the virtual environment and the development set-up
	@$(BIN)/python -m registry_token.development $(PORT)
	@$(DEVELOPMENT) $(MANAGE) migrate --verbosity 0
	@$(DEVELOPMENT) $(MANAGE) collectstatic --no-input --verbosity 0

.PHONY: check-bind
check-bind:
	@[[ "$(BIND)" =~ ^[^:]+:[0-9]+$$ ]] || { echo "BIND=$(BIND) must be ADDRESS:PORT" >&2; exit 1; }

run: setup ## serve on 127.0.0.1:8000 with everything that a first try needs (BIND=ADDRESS:PORT)
	@$(DEVELOPMENT) $(MANAGE) dev_setup --url http://$(BIND)
	@exec env $(DEVELOPMENT) $(BIN)/gunicorn -c etc/gunicorn.conf.py --bind $(BIND)

lint: .venv/dev ## ruff, mypy, missing migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	DJANGO_SETTINGS_MODULE=tests.settings $(BIN)/python -m django makemigrations --check --dry-run --skip-checks

format: .venv/dev ## let ruff format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

test: lint ## lint, then the tests on SQLite; no root, no other service
	$(BIN)/pytest -n auto -rs

test-postgres: export TEST_DATABASE_URL ?= postgres://postgres@127.0.0.1:5432/postgres
test-postgres: .venv/dev ## the suite on PostgreSQL (TEST_DATABASE_URL, default the local server)
	$(BIN)/pytest -n auto -rs

e2e: .venv/dev ## real registry, clients and browser (Debian's packages)
	@tests/e2e/install
	@tests/e2e/install chromium
	REQUIRE_BROWSER=1 $(BIN)/pytest -rs tests/e2e tests/browser

test-faults: .venv/dev ## faults under load: kills, outages, slow clients (Debian's packages)
	@tests/e2e/install haproxy pgbouncer postgresql wrk
	$(BIN)/pytest -rs tests/faults

bench: .venv/dev ## tokens/s beside RSA signatures/s; BENCH="--large" and more options
	$(BIN)/python -m benchmarks.token $(BENCH)

# The service as it is installed: what the tests need takes memory, too.
.venv-service/installed: requirements.txt | $(BIN)/python
	@"$(PYTHON)" -m venv .venv-service
	.venv-service/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

bench-audit: .venv/dev .venv-service/installed ## the issuance log at 10 million rows; BENCH="--keep" and more options
	$(BIN)/python -m benchmarks.audit --python .venv-service/bin/python $(BENCH)

# The tools of these three have dependencies of their own, which `make test` does without.
.venv-tools/installed: requirements-tools.txt | $(BIN)/python
	@"$(PYTHON)" -m venv .venv-tools
	.venv-tools/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-tools.txt
	@touch $@

FUZZ_SECONDS ?= 60
fuzz: .venv-tools/installed ## feed the parsers and /token with mutated input (FUZZ_SECONDS=60); Linux on x86-64
	.venv-tools/bin/python -m tests.fuzz.run --seconds $(FUZZ_SECONDS)

audit: .venv-tools/installed ## known vulnerabilities of the runtime requirements
	@.venv-tools/bin/python -m tools.audit

sbom: .venv-tools/installed ## the bill of materials, CycloneDX, to var/sbom.cdx.json
	@mkdir -p var
	@PYTHONWARNINGS=ignore .venv-tools/bin/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application \
		--output-reproducible --validate --output-format JSON --output-file var/sbom.cdx.json \
		requirements.txt
	@echo "wrote var/sbom.cdx.json"

screenshots: .venv/dev ## the pictures of README.md and docs/ (Debian's chromium)
	$(BIN)/python -m tests.browser.screenshots

coverage: .venv/dev ## the suite, and which lines it does not reach
	$(BIN)/pytest -n auto --cov --cov-report term-missing:skip-covered

lock: .venv/dev ## compile requirements*.in to requirements*.txt with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-strip-extras --no-emit-index-url requirements.in --output-file requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-strip-extras --no-emit-index-url requirements-dev.in --output-file requirements-dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-strip-extras --no-emit-index-url requirements-tools.in --output-file requirements-tools.txt

clean: ## remove the virtual environment and the development set-up
	rm -rf .venv .venv-tools var
