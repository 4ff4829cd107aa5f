"""Single values of the configuration: what is refused, and that secrets are kept to the letter."""

from __future__ import annotations

import pytest
import yaml

from registry_token.config import SETTINGS
from tests.configuration import in_file, read, variable

REFUSED = {
    "debug": ["ture", "2", "y", "none", "true false"],
    "authority.leeway": ["121", "-1", " 12_0", "1_0", "٣", "1e2", "1.0", "0x10", "+5", "9" * 20],
    "audit.retention_days": ["0", "36501", "-1", "a year"],
    "audit.warn_rows": ["-1", "1000000000", "many"],
    "signing.lifetime": ["59", "301", "3 00", "٣٠٠", "inf"],
    "authority.issuer": [
        "authority.example.com",
        "https://",
        "ftp://authority.example.com",
        "https://authority.example.com?tenant=a",
        "https://authority.example.com#a",
        "https://authority.example.com/a b",
        " https://authority.example.com",
        "https://user@authority.example.com",
        "https://authority.example.com:port",
        "https://authority.example.com:99999",
        "https://[::1",
        "https://authority.example.com/\n",
    ],
    "authority.jwks": [
        "http://authority.example.com/jwks",
        "http://10.0.0.1/jwks",
        "http://127.0.0.1.example.com/jwks",
        "http://127.0.0.1@example.com/jwks",
        "http://localhost.example.com/jwks",
        "file:///etc/jwks.json",
        "FILE:///etc/jwks.json",
        "ftp://127.0.0.1/jwks",
        "https://authority.example.com/jwks#a",
    ],
    "registry.realm": [
        'https://tokens.example.com/"token',
        "https://tokens.example.com/\\token",
        "tokens.example.com/token",
        "https://tokens.example.com/token?a=b",
        "https://tokens.example.com/token\r\nX: y",
    ],
    "authority.algorithms": ["HS256", "HS512", "none", "None", "rs256", "RS256 ES256", "EdDSA"],
    "authority.required_scopes": ["two words", 'a"b', "a\\b", "é"],
    "authority.audiences": ["a\nb", "a\x00b"],
    "allowed_hosts": ["https://a", "a:8000", "a/b", "**", "a b", "."],
    "trusted_proxies": ["10.0.0.1/8", "proxy.example.com", "10.0.0", "10.0.0.0/33"],
    "signing.kid": ["rfc7638", "Thumbprint", "thumbprint "],
    "signing.certificate": ["a\nb", " signing.crt"],
    "registry.on_nothing_granted": ["empty", "REFUSE"],
    "plans.default": [" community", "a\tb"],
    "sso.groups": ["viewer", "=viewer", "a=", "a=b\nc"],
    "sso.local_login": ["off!", "2"],
    "sso.scopes": ["two words"],
    "throttle.failures": ["100001", "-1", "off", "60/m", "1.5"],
}


@pytest.mark.parametrize(
    ("key", "text"), [(key, text) for key, texts in REFUSED.items() for text in texts], ids=ascii
)
def test_refuses(tmp_path, key, text):
    (error,) = read(tmp_path, **{variable(key): text}).errors
    assert error.startswith(f"REGISTRY_TOKEN_{variable(key)} ({key}): ")
    assert "must" in error or "is not a URL" in error or "without file://" in error


ACCEPTED = [
    ("debug", " True ", True),
    ("debug", "0", False),
    ("authority.leeway", " 30 ", 30),
    ("authority.issuer", "https://a/realms/b/", "https://a/realms/b/"),
    ("authority.jwks", "http://localhost:1/jwks", "http://localhost:1/jwks"),
    ("authority.jwks", "http://[::1]/jwks", "http://[::1]/jwks"),
    ("authority.jwks", "https://a/jwks?b=c", "https://a/jwks?b=c"),
    ("allowed_hosts", ".example.com", (".example.com",)),
]


@pytest.mark.parametrize(("key", "text", "value"), ACCEPTED, ids=lambda value: str(value))
def test_accepts(tmp_path, key, text, value):
    configuration = read(tmp_path, **{variable(key): text})
    assert configuration.errors == ()
    assert configuration.values[key] == value


def test_no_algorithm_without_public_keys_can_be_configured_in_the_file(tmp_path):
    configuration = read(tmp_path, in_file("authority.algorithms", "[RS256, none]"))
    assert "'none' must be one of" in configuration.errors[0]
    assert configuration.values["authority.algorithms"] == ("RS256", "PS256", "ES256")


@pytest.mark.parametrize("secret", ["$PATH", "a$b", "${HOME}", "$$", "a'b\"c", "#a", "a,b"])
@pytest.mark.parametrize("source", ["variable", "quoted in the file", "file of the secret"])
def test_a_secret_is_kept_to_the_letter(tmp_path, secret, source):
    if source == "variable":
        configuration = read(tmp_path, SECRET_KEY=secret)
    elif source == "quoted in the file":
        quoted = "'" + secret.replace("'", "''") + "'"
        configuration = read(tmp_path, in_file("secret_key", quoted), SECRET_KEY=None)
    else:
        (tmp_path / "secret").write_text(f"{secret}\n")
        file = str(tmp_path / "secret")
        configuration = read(tmp_path, SECRET_KEY=None, SECRET_KEY_FILE=file)
    assert configuration.errors == ()
    assert configuration.values["secret_key"] == secret


SECRET = "hunter2"


@pytest.mark.parametrize(
    "text",
    [
        f"secret_key: [{SECRET}]",
        f"secret_key: {{{SECRET}: {SECRET}}}",
        f"secret_key: !{SECRET}",
        f'secret_key: "{SECRET}',
        f"secret_key: a: {SECRET}",
        f"secret_key: {SECRET}\nsecret_key: {SECRET}",
        f"database: {{url: [{SECRET}]}}",
        f"database: {{url: 'mysql://a:{SECRET}@b/c'}}",
        f"database: {{url: 'postgres://a:{SECRET}@b:c/d'}}",
        f"database: {{url: 'postgres://a:{SECRET}@b'}}",
        f"database: {{url: 'postgres://a:{SECRET}@[b/c'}}",
        f"database: {{url: 'sqlite://a:{SECRET}@b'}}",
        f"database: {{url: '{SECRET}'}}",
    ],
    ids=lambda text: text.replace("\n", " "),
)
def test_no_secret_is_in_an_error(tmp_path, text):
    errors = read(tmp_path, text, SECRET_KEY=None).errors
    assert errors
    assert SECRET not in "".join(errors).replace(f"secret_key.{SECRET} in", "")


@pytest.mark.parametrize("secret", ["20261123", "1234567.5", "0x1337133713371337", "2026-11-23"])
@pytest.mark.parametrize("key", [setting.key for setting in SETTINGS if setting.secret])
def test_a_secret_that_yaml_takes_for_a_number_is_not_in_the_error(tmp_path, key, secret):
    said = "\n".join(read(tmp_path, in_file(key, secret), SECRET_KEY=None).errors)
    assert "must be text; put it in quotes" in said
    assert secret not in said
    assert repr(yaml.safe_load(secret)) not in said
