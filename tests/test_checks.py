"""The system checks, one by one, on real keys and certificates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core.checks import run_checks

from registry_token import key_files
from registry_token.config import load
from tests.authority import jwks_bytes, new_rsa_key, public_jwk


def found(*, deploy=False):
    """The ids of the service's own checks that find something."""
    messages = run_checks(include_deployment_checks=deploy)
    return {m.id for m in messages if (m.id or "").startswith("registry_token.")}


@pytest.fixture(autouse=True)
def _good_set_up(authority):
    """The Authority's key file is there, as in the settings of the tests."""


@pytest.fixture
def new_key(tmp_path, settings):
    """A signing key of its own, for its file is read once; with a certificate of `lifetime`."""

    def make(key=None, lifetime=None, not_before=None, of=None, name="signing"):
        key = key or new_rsa_key()
        path, certificate = tmp_path / f"{name}.key", tmp_path / f"{name}.crt"
        key_files.write_new_file(path, key_files.private_key_pem(key))
        settings.SIGNING_KEY = str(path)
        if lifetime is not None:
            pem = key_files.self_signed_certificate_pem(
                of or key, "tests", not_before=not_before, lifetime=lifetime
            )
            certificate.write_bytes(pem)
            settings.SIGNING_CERTIFICATE = str(certificate)
        return path

    return make


def test_finds_nothing_wrong_with_a_good_set_up():
    assert found(deploy=True) == set()


def test_e001_a_wrong_configuration(settings, tmp_path):
    settings.CONFIGURATION = load({"REGISTRY_TOKEN_NONSENSE": "x"}, tmp_path / "missing")
    messages = [m for m in run_checks() if m.id == "registry_token.E001"]
    assert [m.msg for m in messages] == list(settings.CONFIGURATION.errors)
    assert messages[0].msg.startswith("REGISTRY_TOKEN_NONSENSE: unknown variable")


@pytest.mark.parametrize(
    "changes",
    [
        {"SSO_LOCAL_LOGIN": False},
        {"SSO_CLIENT_ID": "admin"},
        {
            "SSO_CLIENT_ID": "admin",
            "SSO_GROUPS": (("a", "viewer"),),
            "AUTHORITY_ISSUER": "http://authority.example.com",
        },
    ],
    ids=["no way in", "no groups", "plain http"],
)
def test_e009_single_sign_on_that_cannot_work(settings, changes):
    for name, value in changes.items():
        setattr(settings, name, value)
    assert found() == {"registry_token.E009"}


def test_single_sign_on_with_groups_is_fine(settings):
    settings.SSO_CLIENT_ID, settings.SSO_GROUPS = "admin", (("a", "viewer"),)
    settings.SSO_LOCAL_LOGIN = False
    assert found() == set()


@pytest.mark.parametrize("content", [None, b"", b"no key", "short", "elliptic"])
def test_e002_an_unusable_signing_key(settings, tmp_path, content):
    path = tmp_path / "signing.key"
    if content == "short":
        content = key_files.private_key_pem(new_rsa_key(1024))
    elif content == "elliptic":
        content = _elliptic_key_pem()
    if content is not None:
        key_files.write_new_file(path, content)
    settings.SIGNING_KEY = str(path)
    assert found() == {"registry_token.E002"}


def test_e002_a_certificate_of_another_key(new_key):
    new_key(lifetime=timedelta(days=90), of=new_rsa_key())
    assert found() == {"registry_token.E002"}


def test_e002_an_expired_certificate(new_key):
    start = datetime.now(UTC) - timedelta(days=91)
    new_key(lifetime=timedelta(days=90), not_before=start)
    assert found() == {"registry_token.E002"}


def test_e002_a_missing_certificate(new_key, settings, tmp_path):
    new_key()
    settings.SIGNING_CERTIFICATE = str(tmp_path / "missing.crt")
    assert found() == {"registry_token.E002"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_w003_a_signing_key_that_others_can_read(new_key, mode):
    new_key().chmod(mode)
    assert found() == {"registry_token.W003"}


@pytest.mark.parametrize(("days", "warned"), [(29, True), (31, False)])
def test_w004_a_certificate_that_expires_soon(new_key, days, warned):
    new_key(lifetime=timedelta(days=days))
    assert found() == ({"registry_token.W004"} if warned else set())


@pytest.mark.parametrize("content", [None, b"", b"{", b'{"keys": []}'])
def test_w005_an_unusable_key_file_of_the_authority(settings, tmp_path, content):
    path = tmp_path / "authority.jwks.json"
    if content is not None:
        path.write_bytes(content)
    settings.AUTHORITY_JWKS = str(path)
    assert found() == {"registry_token.W005"}


def test_no_check_asks_the_authority_over_the_network(settings):
    settings.AUTHORITY_JWKS = "http://127.0.0.1:9/jwks"
    assert found() == set()


def test_e006_a_signing_key_that_is_the_authoritys_too(new_key, settings, tmp_path):
    key = new_rsa_key()
    new_key(key)
    path = tmp_path / "authority.jwks.json"
    path.write_bytes(jwks_bytes(public_jwk(new_rsa_key(), "a"), public_jwk(key, "b")))
    settings.AUTHORITY_JWKS = str(path)
    assert found() == {"registry_token.E006"}


def test_w006_one_issuer_for_both_kinds_of_token(settings):
    settings.SIGNING_ISSUER = settings.AUTHORITY_ISSUER
    assert found() == {"registry_token.W006"}


def test_w007_a_development_key_in_production(settings, tmp_path):
    settings.AUTHORITY_DEVELOPMENT_KEY = str(tmp_path / "authority.key")
    assert found() == set()
    assert found(deploy=True) == {"registry_token.W007"}


@pytest.mark.parametrize(
    ("realm", "warned"),
    [
        (None, True),
        ("http://tokens.example.com/token", True),
        ("https://tokens.example.com/token", False),
        ("http://127.0.0.1:8000/token", False),
    ],
)
def test_w008_a_realm_that_is_missing_or_in_the_clear(settings, realm, warned):
    settings.REGISTRY_REALM = realm
    assert found() == set()
    assert found(deploy=True) == ({"registry_token.W008"} if warned else set())


def test_every_message_says_what_to_do(settings, tmp_path, new_key):
    new_key(lifetime=timedelta(days=2)).chmod(0o644)
    settings.AUTHORITY_JWKS = str(tmp_path / "missing")
    settings.AUTHORITY_DEVELOPMENT_KEY = "a"
    settings.SIGNING_ISSUER = settings.AUTHORITY_ISSUER
    settings.REGISTRY_REALM = None
    messages = run_checks(include_deployment_checks=True)
    own = {m.id: m.hint for m in messages if (m.id or "").startswith("registry_token.")}
    assert own.keys() == {f"registry_token.W00{number}" for number in (3, 4, 5, 6, 7, 8)}
    assert all(own.values())


def _elliptic_key_pem():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize(("days", "warned"), [(None, False), (30, True), (31, False)])
def test_w010_rows_go_before_the_admin_has_looked_at_them(settings, days, warned):
    settings.AUDIT_RETENTION_DAYS = days
    assert found() == ({"registry_token.W010"} if warned else set())
