"""The plan of the house: which part may import which (docs/architecture.md)."""

from __future__ import annotations

import ast

import pytest

from registry_token.config_values import BASE_DIR

OURS = ("registry_token", "plans", "licences", "issuances", "people")
# A revocation is a change of the catalogue, whose history is in `plans`.
ALLOWED = {
    "plans": {"plans"},
    "licences": {"licences", "plans"},
    "issuances": {"issuances"},
    "people": {"people"},
}
# These decide or parse: they know neither tables nor requests nor the network.
PURE = {
    "registry_token/access.py",
    "registry_token/charts.py",
    "registry_token/entitlement.py",
    "registry_token/image_references.py",
    "registry_token/jwks.py",
    "registry_token/key_ids.py",
    "registry_token/rule_relations.py",
    "registry_token/strict_json.py",
    "issuances/sealing/chain.py",
    "issuances/sealing/findings.py",
    "issuances/sealing/merkle.py",
    "issuances/sealing/proofs.py",
    "issuances/sealing/seals.py",
    "issuances/sealing/verification.py",
    "plans/differences.py",
    "plans/pattern_relations.py",
    "plans/patterns.py",
}
IMPURE = ("django", "rest_framework", "socket", "http", "os", "pathlib", "time")


def imported(path):
    """The top-level names that a module imports, wherever it does so."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("app", ALLOWED)
def test_apps_import_no_more_than_they_may(app):
    for path in (BASE_DIR / app).rglob("*.py"):
        assert set(imported(path)) & set(OURS) <= ALLOWED[app], path


@pytest.mark.parametrize("name", sorted(PURE))
def test_pure_modules_import_nothing_that_acts(name):
    assert set(imported(BASE_DIR / name)) & set(IMPURE) == set()


def test_only_settings_reads_the_environment():
    for path in (BASE_DIR / "registry_token").rglob("*.py"):
        if "os.environ" in path.read_text():
            assert path.name in ("settings.py", "wsgi.py"), path
