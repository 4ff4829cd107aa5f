"""generate_signing_key: safe files, usable keys. authority_token: development only."""

from __future__ import annotations

import os
import stat
from io import StringIO

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from django.core.management import CommandError, call_command

from registry_token import authority as verifier
from registry_token import key_files
from registry_token.errors import Unauthenticated
from registry_token.key_ids import libtrust_id, thumbprint
from registry_token.signing import load_signing_key
from tests.authority import jwks_bytes, new_rsa_key, public_jwk


def command(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o277], ids=oct)
def umask(request):
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_only_the_owner_can_read_the_key_whatever_the_umask(tmp_path):
    tmp_path.chmod(0o700)
    command("generate_signing_key", "--out", str(tmp_path / "a.key"), "--certificate")
    assert mode(tmp_path / "a.key") == 0o600
    assert mode(tmp_path / "a.crt") == 0o644


def test_the_key_is_usable_and_its_ids_are_said(tmp_path):
    path = tmp_path / "folder" / "a.key"
    said = command("generate_signing_key", "--out", str(path))
    key = load_signing_key(str(path), None, "thumbprint").private_key
    assert key.key_size == 2048
    assert f"wrote {path} (mode 0600)" in said
    assert thumbprint(key.public_key()) in said
    assert libtrust_id(key.public_key()) in said
    assert [entry.name for entry in path.parent.iterdir()] == ["a.key"]


def test_keys_are_never_the_same(tmp_path):
    for name in ("a", "b"):
        command("generate_signing_key", "--out", str(tmp_path / name))
    assert (tmp_path / "a").read_bytes() != (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("path", [None, "b.pem"], ids=["default path", "given path"])
def test_a_certificate_of_the_key_is_made_if_wanted(tmp_path, path):
    out = str(tmp_path / "a.key")
    option = ["--certificate"] if path is None else ["--certificate", str(tmp_path / path)]
    command("generate_signing_key", "--out", out, *option)
    file = tmp_path / (path or "a.crt")
    loaded = load_signing_key(out, str(file), "thumbprint")
    assert len(loaded.x5c) == 1
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert lifetime.days == 365


@pytest.mark.parametrize("existing", ["file", "empty file", "symlink", "dangling symlink"])
@pytest.mark.parametrize("name", ["a.key", "a.crt"])
def test_refuses_to_overwrite(tmp_path, name, existing):
    path, target = tmp_path / name, tmp_path / "target"
    if existing == "symlink":
        target.write_text("precious")
    if "symlink" in existing:
        path.symlink_to(target)
    else:
        path.write_text("precious" if existing == "file" else "")
    with pytest.raises(CommandError, match=f"{name} exists; it is not overwritten"):
        command("generate_signing_key", "--out", str(tmp_path / "a.key"), "--certificate")
    assert existing != "file" or path.read_text() == "precious"
    assert existing != "symlink" or target.read_text() == "precious"
    assert existing != "dangling symlink" or not target.exists()
    assert not [p for p in tmp_path.iterdir() if p not in (path, target)]


def test_a_file_made_in_the_meantime_is_not_overwritten(tmp_path):
    (tmp_path / "a.key").write_text("precious")
    with pytest.raises(FileExistsError):
        key_files.write_new_file(tmp_path / "a.key", b"new")
    assert (tmp_path / "a.key").read_text() == "precious"


def test_key_and_certificate_may_not_be_one_file(tmp_path):
    with pytest.raises(CommandError):
        command("generate_signing_key", "--out", str(tmp_path / "a.crt"), "--certificate")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bits", ["0", "-1", "1024", "2047", "8193", "99999999"])
def test_refuses_sizes_out_of_bounds(tmp_path, bits):
    with pytest.raises(CommandError, match="must be from 2048 to 8192"):
        command("generate_signing_key", "--out", str(tmp_path / "a.key"), f"--bits={bits}")
    assert list(tmp_path.iterdir()) == []


def test_makes_keys_of_the_size_wanted(tmp_path):
    command("generate_signing_key", "--out", str(tmp_path / "a.key"), "--bits", "2056")
    key = serialization.load_pem_private_key((tmp_path / "a.key").read_bytes(), password=None)
    assert key.key_size == 2056  # type: ignore[union-attr]


def test_says_why_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="cannot be written"):
        command("generate_signing_key", "--out", str(tmp_path / "file" / "a.key"))


@pytest.fixture
def development_key(tmp_path, settings):
    key = new_rsa_key()
    key_files.write_new_file(tmp_path / "authority.key", key_files.private_key_pem(key))
    jwks = tmp_path / "authority.jwks.json"
    jwks.write_bytes(jwks_bytes(public_jwk(key, thumbprint(key.public_key()))))
    settings.AUTHORITY_DEVELOPMENT_KEY = str(tmp_path / "authority.key")
    settings.AUTHORITY_JWKS = str(jwks)
    return key


def unverified_claims(token):
    return jwt.decode(token.strip(), options={"verify_signature": False})


@pytest.mark.usefixtures("development_key")
def test_authority_token_makes_tokens_that_the_service_accepts():
    caller = verifier.authenticate(command("authority_token").strip())
    assert caller.subject == "developer"
    assert caller.scopes == {"registry.token.issue"}
    assert (caller.plan, caller.licence) == (None, None)


@pytest.mark.usefixtures("development_key")
def test_authority_token_takes_claims_as_options():
    options = ["--plan=gold", "--licence=LIC-1", "--subject=bob", "--scope=a", "--scope=b"]
    token = command("authority_token", *options).strip()
    caller = verifier.authenticate(token)
    assert (caller.plan, caller.licence, caller.subject) == ("gold", "LIC-1", "bob")
    assert caller.scopes == {"a", "b"}
    claims = unverified_claims(token)
    assert claims["stellaops:license"] == "LIC-1"
    assert claims["exp"] - claims["iat"] == 3600
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"


@pytest.mark.usefixtures("development_key")
def test_authority_token_may_have_expired_already():
    token = command("authority_token", "--expires", "-600").strip()
    claims = unverified_claims(token)
    assert claims["iat"] <= claims["exp"]
    with pytest.raises(Unauthenticated, match="has expired"):
        verifier.authenticate(token)


@pytest.mark.parametrize("content", [None, b"no key"], ids=["missing", "no key"])
def test_authority_token_says_when_its_key_cannot_be_read(tmp_path, settings, content):
    path = tmp_path / "authority.key"
    if content is not None:
        path.write_bytes(content)
    settings.AUTHORITY_DEVELOPMENT_KEY = str(path)
    with pytest.raises(CommandError, match="cannot be read as a private key"):
        command("authority_token")


def test_authority_token_refuses_without_a_development_key():
    with pytest.raises(CommandError, match=r"authority\.development_key is not configured"):
        command("authority_token", "--plan=enterprise")
