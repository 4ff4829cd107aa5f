"""The OpenAPI document, and the page that shows it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from django.contrib.staticfiles import finders
from django.urls import URLPattern
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema

from registry_token import urls
from registry_token.config_values import BASE_DIR
from registry_token.openapi.document import PATHS, document

SCHEMA = "/api/v1/schema"
DOCS = "/api/v1/docs"
# They describe; the last two are redirects to pages.
NOT_DESCRIBED = {*urls.TOKEN_PATHS[1:], SCHEMA[1:], DOCS[1:], "admin"}


def route(pattern):
    return str(pattern.pattern)


def test_describes_what_is_served():
    served = {route(pattern) for pattern in urls.urlpatterns if isinstance(pattern, URLPattern)}
    assert {route(pattern) for pattern in PATHS} == served - NOT_DESCRIBED


def test_the_document_is_openapi():
    made = json.loads(document())
    validate_schema(made)
    assert set(made["paths"]["/token"]) == {"get", "post"}
    assert made["components"]["securitySchemes"].keys() >= {
        scheme
        for operations in made["paths"].values()
        for operation in operations.values()
        for way in operation["security"]
        for scheme in way
    }


def test_every_operation_tells_of_its_errors():
    operations = [o for path in json.loads(document())["paths"].values() for o in path.values()]
    for operation in operations:
        assert operation["summary"]
        for status, answer in operation["responses"].items():
            assert "X-Request-ID" in answer["headers"]
            if status == "401":
                assert "WWW-Authenticate" in answer["headers"]
            if status in ("429", "503"):
                assert "Retry-After" in answer["headers"]


@pytest.mark.parametrize("path", [SCHEMA, DOCS])
def test_anybody_may_read_it(client, path):
    assert client.get(path).status_code == 200
    assert client.head(path).content == b""
    refused = client.post(path)
    assert (refused.status_code, refused["Allow"]) == (405, "GET, HEAD")


def test_the_document_is_json(client):
    answer = client.get(SCHEMA)
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["openapi"].startswith("3.")


def test_the_page_has_the_strict_policy_and_nothing_inline(client):
    answer = client.get(DOCS)
    assert "default-src 'self';" in answer["Content-Security-Policy"]
    assert "script-src" not in answer["Content-Security-Policy"]
    page = answer.content.decode()
    assert "<style" not in page
    assert "//" not in page.replace("</", "")
    assert page.count("<script src=") == page.count("<script") == 2


def test_only_swagger_ui_is_collected():
    assert finders.find("swagger-ui/swagger-ui-bundle.js")
    collected = {path for finder in finders.get_finders() for path, _ in finder.list([])}
    assert not [path for path in collected if "redoc" in path or "sidecar" in path]


def test_nothing_of_it_is_loaded_before_somebody_asks():
    """A token must not pay for it, neither in time nor in memory."""
    program = (
        "import sys; import registry_token.wsgi;"
        " sys.exit(any(m.partition('.')[0] == 'drf_spectacular' for m in sys.modules))"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(BASE_DIR)}
    done = subprocess.run([sys.executable, "-c", program], cwd=BASE_DIR, env=environment)
    assert done.returncode == 0


def test_every_component_has_a_name_of_its_own():
    """Two of one name would describe each other; drf-spectacular only warns."""
    document.cache_clear()
    with GENERATOR_STATS.silence():
        document()
        assert not GENERATOR_STATS
