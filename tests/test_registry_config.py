"""registry_config: what it prints and writes makes a registry trust the tokens."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from uuid import uuid4

import jwt
import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from django.core.management import CommandError, call_command

from registry_token import key_files, signing
from registry_token.key_ids import libtrust_id
from tests.conftest import SERVICE


def registry_config(folder, *arguments):
    """The printed stanza, and the file that it names."""
    out, err = StringIO(), StringIO()
    call_command("registry_config", f"--out={folder}", *arguments, stdout=out, stderr=err)
    document = yaml.safe_load(out.getvalue())
    assert list(document) == ["auth"]
    assert list(document["auth"]) == ["token"]
    stanza = document["auth"]["token"]
    (file,) = Path(folder).iterdir()
    assert str(file) in err.getvalue()
    return stanza, file


def issue():
    return signing.issue(
        subject="alice", audience=SERVICE, access=(), jti=uuid4(), now=datetime.now(UTC)
    ).encoded


def verify(token, key, stanza):
    """As a registry does, with what the stanza says."""
    return jwt.decode(
        token, key, algorithms=["RS256"], audience=stanza["service"], issuer=stanza["issuer"]
    )


@pytest.fixture
def certificate(settings, tmp_path):
    """A certificate of the signing key of the settings."""
    key = signing.signing_key().private_key
    path = tmp_path / "signing.crt"
    path.write_bytes(key_files.self_signed_certificate_pem(key, "tests"))
    settings.SIGNING_CERTIFICATE = str(path)
    return path


def test_a_registry_3_gets_a_key_set(tmp_path):
    stanza, file = registry_config(tmp_path / "out", f"--service={SERVICE}")
    assert stanza == {
        "realm": "https://tokens.example.com/token",
        "service": SERVICE,
        "issuer": "registry-token-tests",
        "jwks": str(file),
    }
    token = issue()
    keys = jwt.PyJWKSet.from_dict(json.loads(file.read_text()))
    kid = jwt.get_unverified_header(token)["kid"]
    assert verify(token, keys[kid], stanza)["sub"] == "alice"
    assert "d" not in json.loads(file.read_text())["keys"][0]


def test_a_registry_2_gets_a_bundle_whose_key_has_the_tokens_id(tmp_path, settings):
    settings.SIGNING_KID = "libtrust"
    stanza, file = registry_config(tmp_path / "out", "--version=2", f"--service={SERVICE}")
    assert stanza["rootcertbundle"] == str(file)
    assert "jwks" not in stanza
    (certificate,) = x509.load_pem_x509_certificates(file.read_bytes())
    token = issue()
    assert verify(token, certificate.public_key(), stanza)["sub"] == "alice"
    assert jwt.get_unverified_header(token)["kid"] == libtrust_id(certificate.public_key())  # type: ignore[arg-type]
    assert b"PRIVATE" not in file.read_bytes()


@pytest.mark.parametrize("version", ["2", "3"])
def test_a_configured_certificate_is_what_both_versions_trust(tmp_path, certificate, version):
    folder = tmp_path / "out"
    stanza, file = registry_config(folder, f"--version={version}", f"--service={SERVICE}")
    assert stanza["rootcertbundle"] == str(file)
    assert "jwks" not in stanza
    assert file.read_bytes() == certificate.read_bytes()
    token = issue()
    (leaf,) = jwt.get_unverified_header(token)["x5c"]
    (trusted,) = x509.load_pem_x509_certificates(file.read_bytes())
    assert leaf == _base64(trusted.public_bytes(Encoding.DER))
    assert verify(token, trusted.public_key(), stanza)


def test_version_3_is_the_default(tmp_path):
    stanza, _ = registry_config(tmp_path / "out", f"--service={SERVICE}")
    assert "jwks" in stanza


def test_a_registry_2_needs_libtrust_or_a_certificate(tmp_path):
    with pytest.raises(CommandError, match=r"SIGNING_KID to libtrust, or .*_CERTIFICATE"):
        call_command(
            "registry_config", "--version=2", f"--service={SERVICE}", f"--out={tmp_path / 'out'}"
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("arguments", [[], ["--service=other.example.com"]])
def test_one_of_several_services_has_to_be_named(tmp_path, arguments):
    with pytest.raises(CommandError, match=r"registry\.example\.com, mirror\.example\.com"):
        registry_config(tmp_path / "out", *arguments)


def test_the_only_service_need_not_be_named(tmp_path, settings):
    settings.REGISTRY_SERVICES = ("only.example.com",)
    assert registry_config(tmp_path / "out")[0]["service"] == "only.example.com"


def test_a_realm_is_needed(tmp_path, settings):
    settings.REGISTRY_REALM = None
    with pytest.raises(CommandError, match="set REGISTRY_TOKEN_REGISTRY_REALM"):
        registry_config(tmp_path / "out", f"--service={SERVICE}")


def test_a_key_is_needed(tmp_path, settings):
    settings.SIGNING_KEY = str(tmp_path / "missing.key")
    with pytest.raises(CommandError, match=r"missing\.key cannot be read"):
        registry_config(tmp_path / "out", f"--service={SERVICE}")


def test_writing_again_replaces_the_file(tmp_path):
    for _ in range(2):
        registry_config(tmp_path / "out", f"--service={SERVICE}")


def test_says_when_the_folder_cannot_be_written(tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(CommandError, match="out"):
        call_command("registry_config", f"--service={SERVICE}", f"--out={tmp_path / 'out'}")


def _base64(content):
    from base64 import b64encode

    return b64encode(content).decode()
