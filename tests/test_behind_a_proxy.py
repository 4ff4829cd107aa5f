"""The service behind a proxy that ends TLS, configured as the documentation has it."""

from __future__ import annotations

import json

import pytest

from tests.service import SERVICE, Service

HTTPS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    settings = {
        "WEB_CONCURRENCY": "1",
        "REGISTRY_TOKEN_TRUSTED_PROXIES": "127.0.0.1",
        "REGISTRY_TOKEN_ALLOWED_HOSTS": "tokens.example.com,127.0.0.1",
        "REGISTRY_TOKEN_REGISTRY_REALM": "https://tokens.example.com/token",
    }
    with Service(tmp_path_factory.mktemp("proxied"), settings) as service:
        yield service


def test_the_admin_demands_https(proxied):
    status, fields, _ = proxied.request("GET", "/admin/login/")
    assert (status, fields["Location"].partition(":")[0]) == (301, "https")


def test_the_admin_is_protected_as_a_browser_can(proxied):
    status, fields, _ = proxied.request("GET", "/admin/login/", headers=HTTPS)
    assert status == 200
    assert fields["Strict-Transport-Security"] == "max-age=31536000"
    assert fields["X-Frame-Options"] == "DENY"
    assert fields["Referrer-Policy"] == "same-origin"
    assert "Secure" in fields["Set-Cookie"]
    assert "HttpOnly" in fields["Set-Cookie"]


def test_tokens_are_issued_without_a_redirect_to_the_client_that_the_proxy_names(proxied):
    bearer = {"Authorization": f"Bearer {proxied.authority.token('community')}"}
    path = f"/token?service={SERVICE}&scope=repository:stella-ops/public/app:pull"
    assert proxied.request("GET", path, headers=bearer)[0] == 200
    assert proxied.request("GET", path, headers=bearer | HTTPS)[0] == 200
    last = json.loads(proxied.output.read_text().splitlines()[-1])
    assert last["remote_address"] == "203.0.113.9"


def test_the_deployment_checks_are_content(proxied):
    done = proxied.manage("check", "--deploy", "--fail-level", "WARNING", check=False)
    assert done.returncode == 0, done.stderr
