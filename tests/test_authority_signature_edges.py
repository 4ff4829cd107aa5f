"""Spoilt signatures of caller tokens: lengths, encodings, edge values, other parameters.

RFC 7518, 3.3 to 3.5; RFC 8725, 3.4: ECDSA signatures are 64 bytes, r and s within 1..n-1; RSA
signatures are as long as the key; PSS salts have 32 bytes, and MGF1 the hash of the algorithm.
"""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from tests.authority import jwks_bytes, public_jwk
from tests.caller_tokens import raw_token, refusal

BAD_SIGNATURE = "the access token's signature does not match"

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SHA256 = hashes.SHA256()


@pytest.fixture(scope="module")
def ec_key():
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def ec_authority(settings, tmp_path, ec_key):
    """The Authority publishes the EC key as `ec`."""
    (tmp_path / "keys.json").write_bytes(jwks_bytes(public_jwk(ec_key, "ec")))
    settings.AUTHORITY_JWKS = str(tmp_path / "keys.json")


def pss(key, salt=32, mgf_hash=SHA256, hash=SHA256):
    return lambda data: key.sign(data, padding.PSS(padding.MGF1(mgf_hash), salt), hash)


RSA_SPOILERS = {
    "leading zero": lambda signature: b"\0" + signature,
    "trailing zero": lambda signature: signature + b"\0",
    "too short": lambda signature: signature[:-1],
    "twice": lambda signature: signature * 2,
    "zero": lambda signature: bytes(len(signature)),
    "one": lambda signature: bytes(len(signature) - 1) + b"\1",
    "all ones": lambda signature: b"\xff" * len(signature),
    "one bit": lambda signature: bytes([signature[0] ^ 1]) + signature[1:],
    "one byte": lambda signature: b"\0",
}


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
@pytest.mark.parametrize("spoil", RSA_SPOILERS.values(), ids=RSA_SPOILERS)
def test_refuses_spoilt_rsa_signatures(spoil, alg, authority, get_token):
    header = {"alg": alg, "kid": authority.kid}

    def sign(data):
        scheme = padding.PKCS1v15() if alg == "RS256" else padding.PSS(padding.MGF1(SHA256), 32)
        return spoil(authority.key.sign(data, scheme, SHA256))

    assert refusal(get_token(raw_token(authority, header, sign=sign))) == BAD_SIGNATURE


def test_refuses_the_signature_plus_the_modulus(authority, get_token):
    numbers = authority.key.public_key().public_numbers()

    def sign(data):
        signature = authority.key.sign(data, padding.PKCS1v15(), SHA256)
        return (int.from_bytes(signature, "big") + numbers.n).to_bytes(257, "big")

    assert refusal(get_token(raw_token(authority, sign=sign))) == BAD_SIGNATURE


OTHER_PSS = {
    "no salt": {"salt": 0},
    "20 bytes of salt": {"salt": 20},
    "31 bytes of salt": {"salt": 31},
    "33 bytes of salt": {"salt": 33},
    "longest salt": {"salt": 222},
    "MGF1 with SHA-1": {"mgf_hash": hashes.SHA1()},
    "MGF1 with SHA-512": {"mgf_hash": hashes.SHA512()},
    "SHA-384": {"hash": hashes.SHA384(), "mgf_hash": hashes.SHA384()},
}


@pytest.mark.parametrize("parameters", OTHER_PSS.values(), ids=OTHER_PSS)
def test_refuses_other_pss_parameters(parameters, authority, get_token):
    header = {"alg": "PS256", "kid": authority.kid}
    token = raw_token(authority, header, sign=pss(authority.key, **parameters))
    assert refusal(get_token(token)) == BAD_SIGNATURE


EDGES = {"0": 0, "1": 1, "n-1": P256_ORDER - 1, "n": P256_ORDER, "2^256-1": 2**256 - 1}


@pytest.mark.parametrize("r", EDGES.values(), ids=[f"r={name}" for name in EDGES])
@pytest.mark.parametrize("s", EDGES.values(), ids=[f"s={name}" for name in EDGES])
@pytest.mark.usefixtures("ec_authority")
def test_cve_2022_21449_refuses_edge_signatures(s, r, authority, get_token):
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    header = {"alg": "ES256", "kid": "ec"}
    token = raw_token(authority, header, sign=lambda data: signature)
    assert refusal(get_token(token)) == BAD_SIGNATURE


ECDSA_SPOILERS = {
    "DER": lambda r, s: encode_dss_signature(r, s),
    "leading zeros": lambda r, s: r.to_bytes(33, "big") + s.to_bytes(33, "big"),
    "P-384's length": lambda r, s: r.to_bytes(48, "big") + s.to_bytes(48, "big"),
    "trailing zero": lambda r, s: r.to_bytes(32, "big") + s.to_bytes(32, "big") + b"\0",
    "r and s swapped": lambda r, s: s.to_bytes(32, "big") + r.to_bytes(32, "big"),
    "r alone": lambda r, s: r.to_bytes(32, "big"),
    "little-endian": lambda r, s: r.to_bytes(32, "little") + s.to_bytes(32, "little"),
    "one bit": lambda r, s: (r ^ 1).to_bytes(32, "big") + s.to_bytes(32, "big"),
}


@pytest.mark.parametrize("spoil", ECDSA_SPOILERS.values(), ids=ECDSA_SPOILERS)
@pytest.mark.usefixtures("ec_authority")
def test_refuses_spoilt_ecdsa_signatures(spoil, authority, get_token, ec_key):

    def sign(data):
        return spoil(*decode_dss_signature(ec_key.sign(data, ec.ECDSA(SHA256))))

    token = raw_token(authority, {"alg": "ES256", "kid": "ec"}, sign=sign)
    assert refusal(get_token(token)) == BAD_SIGNATURE
