"""The configuration: where values come from, and what is said of those that cannot be."""

from __future__ import annotations

import ipaddress

import pytest
from django.core.exceptions import ImproperlyConfigured

from registry_token.config import SETTINGS, load, require_valid
from registry_token.config_values import BASE_DIR
from tests.configuration import REQUIRED, in_file, read, variable

DEFAULTS = {
    "secret_key": None,
    "allowed_hosts": ("localhost", "127.0.0.1", "[::1]"),
    "debug": False,
    "trusted_proxies": (),
    "authority.jwks": None,
    "authority.required_scopes": ("registry.token.issue",),
    "authority.algorithms": ("RS256", "PS256", "ES256"),
    "authority.leeway": 30,
    "authority.development_key": None,
    "signing.key": None,
    "signing.certificate": None,
    "signing.kid": "thumbprint",
    "signing.lifetime": 300,
    "registry.realm": None,
    "registry.on_nothing_granted": "refuse",
    "plans.default": None,
    "plans.anonymous": None,
    "throttle.failures": 60,
    "audit.retention_days": None,
    "audit.warn_rows": 50_000_000,
    "sso.client_id": None,
    "sso.client_secret": None,
    "sso.scopes": ("openid", "profile"),
    "sso.group_claim": "groups",
    "sso.groups": (),
    "sso.local_login": True,
}

# Key, how a file spells it, how a variable spells another value; then both as read.
GIVEN = {
    "secret_key": ("from-file", "from-variable", "from-file", "from-variable"),
    "allowed_hosts": ("[a.example.com]", "*", ("a.example.com",), ("*",)),
    "debug": ("on", "FALSE", True, False),
    "trusted_proxies": (
        "[10.0.0.0/8]",
        "::1",
        (ipaddress.ip_network("10.0.0.0/8"),),
        (ipaddress.ip_network("::1"),),
    ),
    "authority.issuer": ("https://a", "https://b:1/c", "https://a", "https://b:1/c"),
    "authority.audiences": ("[a, b]", "c", ("a", "b"), ("c",)),
    "authority.jwks": (
        "keys.json",
        "http://127.0.0.1:1/jwks?a=b",
        str(BASE_DIR / "keys.json"),
        "http://127.0.0.1:1/jwks?a=b",
    ),
    "authority.required_scopes": ("[a]", "b", ("a",), ("b",)),
    "authority.algorithms": ("[ES512]", "RS384", ("ES512",), ("RS384",)),
    "authority.leeway": ("0", "120", 0, 120),
    "authority.development_key": ("/a.key", "b.key", "/a.key", str(BASE_DIR / "b.key")),
    "signing.key": ("/a.key", "b.key", "/a.key", str(BASE_DIR / "b.key")),
    "signing.certificate": ("/a.crt", "b.crt", "/a.crt", str(BASE_DIR / "b.crt")),
    "signing.issuer": ("a", "b c", "a", "b c"),
    "signing.kid": ("libtrust", "thumbprint", "libtrust", "thumbprint"),
    "signing.lifetime": ("60", "299", 60, 299),
    "registry.services": ("[a, b]", "c", ("a", "b"), ("c",)),
    "registry.realm": ("https://a/token", "https://b", "https://a/token", "https://b"),
    "registry.on_nothing_granted": ("empty_token", "refuse", "empty_token", "refuse"),
    "plans.default": ("community", "gold", "community", "gold"),
    "plans.anonymous": ("community", "gold", "community", "gold"),
    "throttle.failures": ("0", "100000", 0, 100_000),
    "audit.retention_days": ("1", "36500", 1, 36_500),
    "audit.warn_rows": ("0", "999999999", 0, 999_999_999),
    "sso.client_id": ("admin", "a b", "admin", "a b"),
    "sso.client_secret": ("from-file", "from-variable", "from-file", "from-variable"),
    "sso.scopes": ("[groups]", "roles", ("groups",), ("roles",)),
    "sso.group_claim": ("roles", "urn:x:groups", "roles", "urn:x:groups"),
    "sso.groups": (
        "[a=viewer, b=c = auditor]",
        "d=licence manager",
        (("a", "viewer"), ("b=c", "auditor")),
        (("d", "licence manager"),),
    ),
    "sso.local_login": ("no", "true", False, True),
}


def test_every_setting_is_in_the_tables():
    keys = {setting.key for setting in SETTINGS} - {"database.url"}  # has a module of its own
    assert GIVEN.keys() == keys
    assert DEFAULTS.keys() == {key for key in keys if not _setting(key).required}


@pytest.mark.parametrize("key", DEFAULTS)
def test_has_a_default(tmp_path, key):
    configuration = read(tmp_path, **{variable(key): None, "DEBUG": None})
    assert configuration.values[key] == DEFAULTS[key]
    assert key not in configuration.sources


@pytest.mark.parametrize("key", GIVEN)
def test_reads_the_file(tmp_path, key):
    yaml, _, value, _ = GIVEN[key]
    configuration = read(tmp_path, in_file(key, yaml), **{variable(key): None})
    assert configuration.errors == ()
    assert configuration.values[key] == value
    assert type(configuration.values[key]) is type(value)
    assert configuration.sources[key] == str(configuration.path)


@pytest.mark.parametrize("key", GIVEN)
def test_the_environment_wins(tmp_path, key):
    yaml, text, _, value = GIVEN[key]
    configuration = read(tmp_path, in_file(key, yaml), **{variable(key): text})
    assert configuration.errors == ()
    assert configuration.values[key] == value
    assert configuration.sources[key] == f"REGISTRY_TOKEN_{variable(key)}"


@pytest.mark.parametrize("key", DEFAULTS)
@pytest.mark.parametrize("source", ["file", "environment"])
def test_empty_means_unset(tmp_path, key, source):
    text = in_file(key, '""') if source == "file" else ""
    empty = None if source == "file" else ""
    configuration = read(tmp_path, text, **{variable(key): empty})
    assert configuration.values[key] == DEFAULTS[key]
    assert all("is required" in error for error in configuration.errors)


@pytest.mark.parametrize("key", [setting.key for setting in SETTINGS if setting.required])
def test_what_is_required_is_said_with_the_fix(tmp_path, key):
    configuration = read(tmp_path, **{variable(key): None})
    fix = _setting(key).fix
    assert configuration.errors == (f"REGISTRY_TOKEN_{variable(key)} ({key}): is required; {fix}",)
    assert len(fix) > 20


@pytest.mark.parametrize(
    ("name", "fix"),
    [("SECRET_KEY", "token_urlsafe"), ("SIGNING_KEY", "generate_signing_key")],
)
def test_keys_are_required_unless_debug_is_on(tmp_path, name, fix):
    (error,) = read(tmp_path, **{name: None}).errors
    assert error.startswith(f"REGISTRY_TOKEN_{name} (")
    assert fix in error
    assert read(tmp_path, **{name: None}, DEBUG="true").errors == ()


def test_unknown_variables_are_errors(tmp_path):
    (error,) = read(tmp_path, SIGNING_KYE="x").errors
    assert error.startswith("REGISTRY_TOKEN_SIGNING_KYE: unknown variable; known are ")
    assert "REGISTRY_TOKEN_SIGNING_KEY" in error


def test_variables_of_others_are_ignored(tmp_path):
    path = tmp_path / "missing.yaml"
    environment = REQUIRED | {"PATH": "/bin", "REGISTRY_TOKENS": "x", "SECRET_KEY": "x"}
    assert load(environment, path).errors == ()


def test_all_errors_are_said_at_once(tmp_path):
    text = "debugg: true\nsigning: {lifetime: 301}\nregistry: {realm: ftp://a}\n"
    errors = read(tmp_path, text, DEBUG="maybe", NONSENSE="x", AUTHORITY_ISSUER=None).errors
    said = "\n".join(errors)
    for name in ("debugg", "LIFETIME", "REALM", "DEBUG", "NONSENSE", "AUTHORITY_ISSUER"):
        assert name in said
    assert len(errors) == 6


def test_a_wrong_value_leaves_the_default(tmp_path):
    configuration = read(tmp_path, DEBUG="maybe", SIGNING_LIFETIME="0")
    assert configuration.values["debug"] is False
    assert configuration.values["signing.lifetime"] == 300


def test_a_wrong_configuration_stops_the_start(tmp_path):
    require_valid(read(tmp_path))
    with pytest.raises(ImproperlyConfigured, match=r"(?s)NONSENSE.*LIFETIME"):
        require_valid(read(tmp_path, NONSENSE="x", SIGNING_LIFETIME="0"))


def _setting(key):
    return next(setting for setting in SETTINGS if setting.key == key)
