"""Statements: what the service signs beside tokens, and how it is verified without the service."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from issuances.identifiers import uuid7
from issuances.statements import MANIFEST, SEAL, StatementError, keys_in, opened, read_keys
from registry_token import key_files, signing
from registry_token.config_values import BASE_DIR
from registry_token.key_ids import public_jwk

SAID = {"rows": 3, "sha256": "00"}


def pem_of(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def ours():
    return signing.signing_key().private_key


def signed(typ=SEAL):
    return signing.signing_key().sign_statement(SAID, typ=typ)


def by_hand(said=SAID, key=None, algorithm="RS256", **header):
    members = {"typ": SEAL, "kid": signing.signing_key().kid} | header
    payload = said if isinstance(said, bytes) else json.dumps(said).encode()
    return jwt.PyJWS().encode(
        payload, ours() if key is None else key, algorithm=algorithm, headers=members
    )


FORMS = {
    "public key": lambda: pem_of(ours()),
    "certificate": lambda: key_files.self_signed_certificate_pem(ours(), "a").strip(),
    "JWK": lambda: json.dumps(signing.signing_key().jwk()).encode(),
    "JWK set": lambda: json.dumps({"keys": [signing.signing_key().jwk()]}).encode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_statement_is_verified_with_the_public_key(form, tmp_path):
    path = tmp_path / "key"
    path.write_bytes(form())
    assert opened(signed(), read_keys([path]), typ=SEAL) == SAID


def test_the_answer_of_jwks_verifies_statements(client):
    assert opened(signed(), list(keys_in(client.get("/jwks").content, "jwks")), typ=SEAL) == SAID


def test_former_keys_verify_former_statements(tmp_path):
    new = key_files.new_private_key()
    for name, key in (("new.pem", new), ("old.pem", ours())):
        (tmp_path / name).write_bytes(pem_of(key))
    new_only = read_keys([tmp_path / "new.pem"])
    both = read_keys([tmp_path / "new.pem", tmp_path / "old.pem"])
    assert opened(signed(), both, typ=SEAL) == SAID
    with pytest.raises(StatementError, match="give the former one"):
        opened(signed(), new_only, typ=SEAL)


def changed_payload():
    header, _, signature = signed().split(".")
    return ".".join((header, base64.urlsafe_b64encode(b'{"rows":4}').decode(), signature))


REFUSED = {
    "another kind": (lambda: signed(MANIFEST), "no statement of the type"),
    "no kind": (lambda: by_hand(typ=None), "no statement of the type"),
    "a token's kind": (lambda: by_hand(typ="JWT"), "no statement of the type"),
    "another case": (lambda: by_hand(typ=SEAL.upper()), "no statement of the type"),
    "PS256": (lambda: by_hand(algorithm="PS256"), "alg RS256"),
    "RS512": (lambda: by_hand(algorithm="RS512"), "alg RS256"),
    "HS256 with the public key": (
        lambda: by_hand(key=b"k" * 32, algorithm="HS256"),
        "alg RS256",
    ),
    "no algorithm": (lambda: by_hand(key="", algorithm="none"), "no signed statement"),
    "a key in the header": (lambda: by_hand(jwk=signing.signing_key().jwk()), "in its header"),
    "crit": (lambda: by_hand(crit=["b64"], b64=True), "no signed statement|in its header"),
    "another key's id": (lambda: by_hand(kid="other"), "it names the key 'other'"),
    "another key": (lambda: by_hand(key=key_files.new_private_key()), "not signed by any"),
    "a changed payload": (changed_payload, "not signed by any|no signed statement"),
    "no object": (lambda: by_hand([1]), "not signed by any"),
    "no JSON": (lambda: by_hand(b"\xff"), "not signed by any"),
    "padding": (lambda: signed() + "==", "no signed statement"),
    "a line end": (lambda: signed() + "\n", "no signed statement"),
    "nothing": (lambda: "", "no signed statement"),
    "deep JSON": (
        lambda: base64.urlsafe_b64encode(b"[" * 60_000).decode().rstrip("=") + ".a.a",
        "no signed statement",
    ),
}


@pytest.mark.parametrize(("statement", "why"), REFUSED.values(), ids=REFUSED)
def test_nothing_else_passes_for_a_statement(statement, why):
    keys = list(keys_in(json.dumps(signing.signing_key().jwk()).encode(), "key"))
    with pytest.raises(StatementError, match=why):
        opened(statement(), keys, typ=SEAL)


NO_KEYS = {
    "nothing": b"",
    "text": b"hello",
    "no JSON": b"{",
    "a list": b'{"keys": [1]}',
    "no list": b'{"keys": 1}',
    "an elliptic curve": pem_of(ec.generate_private_key(ec.SECP256R1())),
    "a broken certificate": b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
}


@pytest.mark.parametrize("document", NO_KEYS.values(), ids=NO_KEYS)
def test_a_file_without_a_public_key_is_named(document, tmp_path):
    path = tmp_path / "key"
    path.write_bytes(document)
    with pytest.raises(StatementError, match="key holds"):
        read_keys([path])


def test_an_empty_key_set_is_no_reason_to_trust(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b'{"keys": []}')
    with pytest.raises(StatementError, match="no key to verify by"):
        read_keys([path])


def test_a_private_key_is_not_taken_for_a_public_one(tmp_path):
    jwk = public_jwk(ours().public_key(), "a") | {"d": "AQAB"}
    for document in (key_files.private_key_pem(ours()), json.dumps(jwk).encode()):
        (tmp_path / "key").write_bytes(document)
        with pytest.raises(StatementError):
            read_keys([tmp_path / "key"])


# RFC 8725, 3.11 and 3.12: one kind of JWS must not pass for another.
def test_a_token_of_the_registry_is_no_statement():
    token = signing.issue(
        subject="a", audience="r", access=(), jti=uuid7(datetime.now(UTC)), now=datetime.now(UTC)
    )
    for typ in (SEAL, MANIFEST):
        with pytest.raises(StatementError, match="no statement of the type"):
            opened(token.encoded, list(keys_in(pem_of(ours()), "key")), typ=typ)


@pytest.mark.parametrize("typ", [SEAL, MANIFEST])
def test_a_statement_is_no_token_for_a_registry(typ, settings):
    """What Distribution demands of a token: `iss`, `aud`, `exp`, and `access` for any use."""
    statement = signed(typ)
    assert jwt.get_unverified_header(statement)["typ"] not in ("JWT", "at+jwt")
    said = jwt.decode(statement, options={"verify_signature": False})
    assert not said.keys() & {"iss", "aud", "exp", "access", "sub", "nbf"}
    with pytest.raises(jwt.PyJWTError):
        jwt.decode(
            statement,
            ours().public_key(),
            algorithms=["RS256"],
            audience="registry.example.com",
            issuer=settings.SIGNING_ISSUER,
        )


@pytest.mark.parametrize("typ", [SEAL, MANIFEST])
def test_a_statement_is_no_access_token_for_this_service(typ, get_token, catalogue):
    response = get_token(signed(typ), "repository:a:pull")
    assert response.status_code == 401
    assert "WWW-Authenticate" in response.headers


def test_verifying_needs_neither_django_nor_a_configuration():
    program = "import sys, issuances.statements; sys.exit('django' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=BASE_DIR, env={}, check=False)
    assert done.returncode == 0
