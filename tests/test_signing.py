"""Registry tokens: claims, header, key ids, and the files that the key comes from."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from issuances.identifiers import uuid7
from registry_token import key_files, signing
from registry_token.access import parse_scopes
from registry_token.key_ids import libtrust_id, thumbprint
from registry_token.signing import SigningKeyError, load_signing_key

NOW = datetime(2026, 11, 23, 12, 0, 0, 900_000, tzinfo=UTC)


def issued(**options):
    access = parse_scopes(["repository:b:push,pull", "registry:catalog:*"])
    asked: dict[str, Any] = {
        "subject": "alice",
        "audience": "r",
        "access": access,
        "jti": uuid7(NOW),
        "now": NOW,
    }
    return signing.issue(**(asked | options))


def claims_of(token):
    return json.loads(base64.urlsafe_b64decode(token.encoded.split(".")[1] + "=="))


# Distribution, docs/content/spec/auth/jwt.md
def test_claims_are_those_that_registries_check(settings):
    token = issued()
    claims = claims_of(token)
    seconds = int(NOW.timestamp()) - 5
    assert claims == {
        "iss": settings.SIGNING_ISSUER,
        "sub": "alice",
        "aud": "r",
        "iat": seconds,
        "nbf": seconds,
        "exp": seconds + 300,
        "jti": str(token.jti),
        "access": [
            {"type": "repository", "name": "b", "actions": ["pull", "push"]},
            {"type": "registry", "name": "catalog", "actions": ["*"]},
        ],
    }
    assert {type(claims[name]) for name in ("iat", "nbf", "exp")} == {int}


def test_the_configured_lifetime_bounds_the_token(settings):
    settings.SIGNING_LIFETIME = 60
    claims = claims_of(issued())
    assert claims["exp"] - claims["iat"] == 60
    assert issued().expires_in == 60


def test_the_header_names_the_key_by_its_thumbprint():
    header = jwt.get_unverified_header(issued().encoded)
    key = signing.signing_key()
    assert header == {"typ": "JWT", "alg": "RS256", "kid": thumbprint(key.private_key.public_key())}


def test_the_header_carries_the_certificates_leaf_first(settings, tmp_path):
    key = signing.signing_key().private_key
    leaf = key_files.self_signed_certificate_pem(key, "leaf")
    other = key_files.self_signed_certificate_pem(key_files.new_private_key(), "ca")
    settings.SIGNING_CERTIFICATE = str(tmp_path / "chain.pem")
    (tmp_path / "chain.pem").write_bytes(leaf + other)
    x5c = jwt.get_unverified_header(issued().encoded)["x5c"]
    assert len(x5c) == 2
    assert base64.b64decode(x5c[0], validate=True) in base64.b64decode(
        b"".join(leaf.splitlines()[1:-1])
    )


def test_the_token_never_shows_in_a_repr():
    token = issued()
    assert token.encoded not in repr(token)
    assert "PRIVATE" not in repr(signing.signing_key())


# The key of RFC 7638, 3.1; the libtrust id was computed by a registry 2.8's own code.
RFC_7638_N = (
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKR"
    "XjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAt"
    "aSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPks"
    "INHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
)


def test_key_ids_are_those_of_the_specifications():
    key = jwt.PyJWK({"kty": "RSA", "n": RFC_7638_N, "e": "AQAB"}).key
    assert thumbprint(key) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert libtrust_id(key) == "VUZD:EDHW:YWLN:RBFQ:KOA3:UVZ2:XKG5:2V2J:WTPI:6SRD:U6PZ:VCO5"


def test_jwks_publishes_the_id_that_tokens_carry(client, settings):
    for form in ("thumbprint", "libtrust"):
        settings.SIGNING_KID = form
        response = client.get("/jwks")
        (key,) = response.json()["keys"]
        assert key["kid"] == jwt.get_unverified_header(issued().encoded)["kid"]
        assert key.keys() == {"kty", "n", "e", "use", "alg", "kid"}
        assert (key["kty"], key["use"], key["alg"]) == ("RSA", "sig", "RS256")


def pem(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


BAD_KEYS = {
    "no file": (None, "cannot be read"),
    "no PEM": (b"secret text", "not an unencrypted private key"),
    "encrypted": (
        pem(rsa.generate_private_key(65537, 2048), BestAvailableEncryption(b"x")),
        "not an unencrypted private key",
    ),
    "EC": (pem(ec.generate_private_key(ec.SECP256R1())), "must be an RSA key"),
    "too short": (pem(rsa.generate_private_key(65537, 1024)), "at least 2048 bits"),
}


@pytest.mark.parametrize(("content", "message"), BAD_KEYS.values(), ids=BAD_KEYS)
def test_a_key_that_cannot_sign_is_refused(tmp_path, content, message):
    path = tmp_path / "key.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SigningKeyError, match=message) as caught:
        load_signing_key(str(path), None, "thumbprint")
    assert "secret text" not in str(caught.value)


def test_a_certificate_of_another_key_is_refused(tmp_path, settings):
    other = key_files.self_signed_certificate_pem(key_files.new_private_key(), "other")
    (tmp_path / "other.pem").write_bytes(other)
    with pytest.raises(SigningKeyError, match="is not of the signing key"):
        load_signing_key(settings.SIGNING_KEY, str(tmp_path / "other.pem"), "thumbprint")


def test_an_expired_certificate_is_refused(tmp_path, settings):
    key = signing.signing_key().private_key
    past = datetime.now(UTC) - timedelta(days=400)
    expired = key_files.self_signed_certificate_pem(key, "old", not_before=past)
    (tmp_path / "old.pem").write_bytes(expired)
    settings.SIGNING_CERTIFICATE = str(tmp_path / "old.pem")
    for _ in range(2):
        with pytest.raises(SigningKeyError, match="expired on"):
            issued()


def test_no_certificate_in_the_file_is_refused(tmp_path, settings):
    (tmp_path / "empty.pem").write_text("")
    with pytest.raises(SigningKeyError, match="no certificate"):
        load_signing_key(settings.SIGNING_KEY, str(tmp_path / "empty.pem"), "thumbprint")


@pytest.mark.usefixtures("catalogue")
def test_without_a_key_there_is_no_token_and_no_row(authority, get_token, client, settings):
    from issuances.models import Issuance

    settings.SIGNING_KEY = f"/nowhere/{uuid4()}"
    for response in (get_token(authority.token("community")), client.get("/jwks")):
        assert response.status_code == 503
        assert response.json()["errors"][0]["code"] == "UNAVAILABLE"
        assert response["Retry-After"]
        assert "nowhere" not in response.content.decode()
    assert not Issuance.objects.exists()


# RFC 9562, 5.7
def test_ids_are_random_and_ordered_by_time():
    ids = [uuid7(NOW + timedelta(milliseconds=k)) for k in range(50)]
    assert ids == sorted(ids)
    assert len({uuid7(NOW) for _ in range(1000)}) == 1000
    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}
    assert ids[0].int >> 80 == int(NOW.timestamp() * 1000)
