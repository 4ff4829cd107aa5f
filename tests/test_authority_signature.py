"""Keys and algorithms of caller tokens: a key serves the algorithms of its type, curve and `alg`.

RFC 8725, 3.1 and 3.2; RFC 7518, 3.1.
"""

from __future__ import annotations

import itertools

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
)

from tests.authority import jwks_bytes, new_rsa_key, public_jwk
from tests.caller_tokens import GENERAL, PULL, raw_token, refusal

UNKNOWN_KEY = "the access token is signed with a key that the Authority does not publish"
BAD_SIGNATURE = "the access token's signature does not match"

SHA256 = hashes.SHA256()


@pytest.fixture(scope="module")
def ec_key():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def publish(settings, tmp_path):
    """Makes these the Authority's keys."""
    paths = (tmp_path / f"keys-{number}.json" for number in itertools.count())

    def publish(*jwks):
        path = next(paths)
        path.write_bytes(jwks_bytes(*jwks))
        settings.AUTHORITY_JWKS = str(path)

    return publish


def pss(key, salt=32, mgf_hash=SHA256, hash=SHA256):
    return lambda data: key.sign(data, padding.PSS(padding.MGF1(mgf_hash), salt), hash)


def raw_ecdsa(key, data):
    r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256)))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
@pytest.mark.parametrize("members", [{}, {"use": "sig"}, {"key_ops": ["verify"]}], ids=str)
@pytest.mark.usefixtures("catalogue")
def test_an_rsa_key_without_alg_fits_both_rsa_algorithms(
    members, alg, authority, get_token, publish
):
    publish(public_jwk(authority.key, authority.kid, **members))
    assert get_token(authority.token("community", algorithm=alg), PULL).status_code == 200


@pytest.mark.usefixtures("catalogue")
def test_accepts_es256(authority, get_token, publish, ec_key):
    publish(public_jwk(ec_key, "ec"), public_jwk(authority.key, authority.kid))
    token = authority.token("community", key=ec_key, algorithm="ES256", headers={"kid": "ec"})
    assert get_token(token, PULL).status_code == 200


@pytest.mark.parametrize(("jwk_alg", "alg"), [("RS256", "PS256"), ("PS256", "RS256")])
def test_cve_2026_48523_the_alg_of_the_key_must_be_that_of_the_header(
    jwk_alg, alg, authority, get_token, publish
):
    publish(public_jwk(authority.key, authority.kid, alg=jwk_alg))
    assert refusal(get_token(authority.token(algorithm=alg))) == UNKNOWN_KEY
    # Nor is a signature of the key's algorithm under the header's.
    other = {"RS256": lambda data: authority.key.sign(data, padding.PKCS1v15(), SHA256)}
    sign = other.get(jwk_alg, pss(authority.key))
    forged = raw_token(authority, {"alg": alg, "kid": authority.kid}, sign=sign)
    assert refusal(get_token(forged)) == UNKNOWN_KEY


def test_the_type_of_the_key_must_be_that_of_the_header(authority, get_token, publish, ec_key):
    publish(public_jwk(ec_key, "ec"), public_jwk(authority.key, "rsa"))
    for alg, kid in (("ES256", "rsa"), ("RS256", "ec"), ("PS256", "ec")):
        for sign in (None, pss(authority.key), lambda data: raw_ecdsa(ec_key, data)):
            token = raw_token(authority, {"alg": alg, "kid": kid}, sign=sign)
            assert refusal(get_token(token)) == UNKNOWN_KEY


@pytest.mark.usefixtures("catalogue")
def test_without_key_id_an_ambiguous_key_is_an_unknown_one(authority, get_token, publish, ec_key):
    other = new_rsa_key()
    publish(public_jwk(authority.key, "a"), public_jwk(other, "b"), public_jwk(ec_key, "ec"))
    assert refusal(get_token(raw_token(authority, {"alg": "RS256"}))) == UNKNOWN_KEY
    token = authority.token("community", key=ec_key, algorithm="ES256", headers={"kid": None})
    assert get_token(token, PULL).status_code == 200


def test_refuses_other_than_configured_algorithms(authority, get_token, settings, publish):
    settings.AUTHORITY_ALGORITHMS = ("PS256",)
    publish(public_jwk(authority.key, authority.kid))
    assert refusal(get_token(authority.token())) == GENERAL


def test_refuses_the_signature_of_another_key_or_text(authority, get_token):
    assert refusal(get_token(authority.token(key=new_rsa_key()))) == BAD_SIGNATURE
    header, _, signature = authority.token("community").split(".")
    payload = authority.token("enterprise").split(".")[1]
    assert refusal(get_token(f"{header}.{payload}.{signature}")) == BAD_SIGNATURE
