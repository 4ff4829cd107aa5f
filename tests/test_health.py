"""Probes: alive while the process answers, ready when tokens can be issued."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry_token import key_files, signing


def test_healthz_touches_nothing(client, settings):
    settings.SIGNING_KEY = "/nowhere"
    response = client.get("/healthz", headers={"Host": "10.0.0.7"})
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_readyz_is_200_when_tokens_can_be_issued(client, authority):
    response = client.get("/readyz", headers={"Host": "10.0.0.7"})
    assert response.status_code == 200
    checks = response.json()["checks"]
    assert checks["authority_keys"]["key_ids"] == [authority.kid]
    assert checks["authority_keys"]["kept_for_seconds"] == 24 * 3600
    assert checks["signing_key"]["kid"] == signing.signing_key().kid


def failing(client):
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response["Retry-After"]
    body = response.json()
    assert body["errors"][0]["code"] == "UNAVAILABLE"
    failing = body["errors"][0]["detail"]["failing"]
    assert all(name in body["errors"][0]["message"] for name in failing)
    return failing


@pytest.mark.django_db
def test_readyz_names_a_missing_signing_key(client, authority, settings):
    settings.SIGNING_KEY = "/nowhere"
    assert failing(client) == ["signing_key"]


@pytest.mark.django_db
def test_readyz_names_missing_authority_keys(client, settings, tmp_path):
    settings.AUTHORITY_JWKS = str(tmp_path / "none.json")
    assert failing(client) == ["authority_keys"]


@pytest.mark.django_db
def test_readyz_names_migrations_that_are_not_applied(client, authority):
    from registry_token.health import _migrations

    _migrations.cache_clear()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'issuances'")
    assert failing(client) == ["migrations"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/jwks"])
def test_only_get_and_head_are_answered(client, path):
    response = client.post(path)
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"
    assert response.json()["errors"][0]["code"] == "UNSUPPORTED"


@pytest.mark.django_db
def test_readyz_looks_at_migration_files_once(client, authority):
    client.get("/readyz")
    with CaptureQueriesContext(connection) as queries:
        client.get("/readyz")
    assert len(queries) == 1


@pytest.mark.django_db
def test_readyz_names_a_certificate_that_cannot_be_used(client, authority, settings, tmp_path):
    other = key_files.self_signed_certificate_pem(key_files.new_private_key(), "other")
    (tmp_path / "other.pem").write_bytes(other)
    settings.SIGNING_CERTIFICATE = str(tmp_path / "other.pem")
    assert failing(client) == ["signing_key"]


@pytest.mark.parametrize("path", ["/healthz", "/jwks"])
def test_head_has_the_fields_of_get_and_no_body(client, path):
    response = client.head(path)
    assert response.status_code == 200
    assert response.content == b""
    assert response["Content-Length"] == client.get(path)["Content-Length"] != "0"
