"""The header of a caller token: types, algorithms, critical extensions.

RFC 8725, 3.1, 3.2, 3.11; RFC 7515, 4.1; RFC 7797 (`b64`); RFC 9068, 2.1.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import zlib

import pytest
from cryptography.hazmat.primitives import serialization

from tests.authority import public_jwk
from tests.caller_tokens import GENERAL, PULL, raw_token, refusal, segment


@pytest.mark.parametrize(
    "typ", ["at+jwt", "AT+JWT", "application/at+jwt", "Application/AT+JWT", "JWT", "jwt", None]
)
@pytest.mark.usefixtures("catalogue")
def test_accepts_the_types_of_access_tokens(typ, authority, get_token):
    header = {"alg": "RS256", "kid": authority.kid} | ({} if typ is None else {"typ": typ})
    assert get_token(raw_token(authority, header), PULL).status_code == 200


OTHER_TYPES = ["logout+jwt", "dpop+jwt", "secevent+jwt", "application/jwt", "at+jwt ", "xat+jwt"]
OTHER_TYPES += ["at+jwtx", "JOSE", "JWE", "", "at_jwt", 5, True, ["at+jwt"], {}, None]


@pytest.mark.parametrize("typ", OTHER_TYPES, ids=json.dumps)
def test_refuses_other_kinds_of_jwt(typ, authority, get_token):
    header = {"alg": "RS256", "kid": authority.kid, "typ": typ}
    assert refusal(get_token(raw_token(authority, header))) == GENERAL


ALGORITHMS = [
    "none",
    "None",
    "NONE",
    "nOnE",
    "none ",
    "",
    "HS256",
    "HS384",
    "HS512",
    "RS1",
    "RSA1_5",
]
ALGORITHMS += ["rs256", "RS384", "RS512", "PS384", "ES384", "ES256K", "EdDSA", "dir"]
ALGORITHMS += ["PBES2-HS256+A128KW", None, 5, True, ["RS256"], {"RS256": 1}]


@pytest.mark.parametrize("alg", ALGORITHMS, ids=json.dumps)
def test_refuses_algorithms_that_are_not_configured(alg, authority, get_token):
    header = {"alg": alg, "kid": authority.kid}
    assert refusal(get_token(raw_token(authority, header))) == GENERAL
    unsigned = raw_token(authority, header).rpartition(".")[0]
    for signature in ("", "AA"):
        assert refusal(get_token(f"{unsigned}.{signature}")) == GENERAL


def test_refuses_a_header_without_algorithm(authority, get_token):
    assert refusal(get_token(raw_token(authority, {"kid": authority.kid}))) == GENERAL


@pytest.mark.parametrize("format", ["PEM", "DER", "JWK", "modulus"])
def test_cve_2022_29217_refuses_hmac_with_the_public_key(format, authority, get_token):
    public = authority.key.public_key()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    secret = {
        "PEM": public.public_bytes(serialization.Encoding.PEM, spki),
        "DER": public.public_bytes(serialization.Encoding.DER, spki),
        "JWK": json.dumps(public_jwk(authority.key, authority.kid)).encode(),
        "modulus": public.public_numbers().n.to_bytes(256, "big"),
    }[format]
    header = {"alg": "HS256", "kid": authority.kid}
    token = raw_token(
        authority, header, sign=lambda data: hmac.digest(secret, data, hashlib.sha256)
    )
    assert refusal(get_token(token)) == GENERAL


def test_cve_2023_52428_derives_no_key_from_a_password(authority, get_token):
    header = {"alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2c": 2**31 - 1, "p2s": "AAAAAAAA"}
    started = time.monotonic()
    for token in (raw_token(authority, header), f"{segment(header)}.AA.AA.AA.AA"):
        assert refusal(get_token(token)) == GENERAL
    assert time.monotonic() - started < 1


CRIT = [[], ["exp"], ["b64"], ["kid"], ["x"], "exp", "", None, True, 1, {}, {"exp": 1}, [1], [[]]]


@pytest.mark.parametrize("crit", CRIT, ids=json.dumps)
def test_cve_2026_32597_refuses_every_crit(crit, authority, get_token):
    header = {"alg": "RS256", "kid": authority.kid, "crit": crit, "b64": True, "x": 1}
    assert refusal(get_token(raw_token(authority, header))) == GENERAL


@pytest.mark.parametrize("crit", [{}, {"crit": ["b64"]}], ids=["without crit", "with crit"])
def test_refuses_an_unencoded_payload(crit, authority, get_token):
    header = {"alg": "RS256", "kid": authority.kid, "b64": False} | crit
    token = raw_token(authority, header)
    assert refusal(get_token(token)) == GENERAL
    detached = f"{token.partition('.')[0]}..{token.rpartition('.')[2]}"
    assert refusal(get_token(detached)) == GENERAL


def test_cve_2024_33664_never_inflates(authority, get_token):
    header = {"alg": "RS256", "kid": authority.kid, "zip": "DEF"}
    deflated = zlib.compress(json.dumps(authority.claims()).encode(), wbits=-15)
    assert refusal(get_token(raw_token(authority, header, deflated))) == GENERAL


def test_refuses_a_header_with_a_member_twice(authority, get_token):
    header = f'{{"alg":"none","kid":"{authority.kid}","alg":"RS256"}}'.encode()
    assert refusal(get_token(raw_token(authority, header))) == GENERAL
