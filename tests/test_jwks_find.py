"""Finding the key that a token's header names, in a key set. RFC 7517, 4.5."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from registry_token.jwks import parse_jwks
from tests.authority import jwks_bytes, new_rsa_key, public_jwk

DEFAULT = ("RS256", "PS256", "ES256")

RSA_KEY = new_rsa_key()
RSA = public_jwk(RSA_KEY, "good")
EC_KEY = ec.generate_private_key(ec.SECP256R1())
EC = public_jwk(EC_KEY, "ec")


def found(keys, kid, algorithm):
    """The public key, None for none."""
    key = keys.find(kid, algorithm)
    return key and key.key


def test_of_two_keys_with_one_id_the_first_counts():
    other = public_jwk(new_rsa_key(), "good")
    keys = parse_jwks(jwks_bytes(RSA, other, EC | {"kid": "good"}), DEFAULT)
    assert found(keys, "good", "RS256") == RSA_KEY.public_key()
    assert found(keys, "good", "ES256") == EC_KEY.public_key()


def test_finds_by_id_to_the_letter_or_the_only_fitting_key():
    nameless = {name: RSA[name] for name in RSA if name != "kid"}
    keys = parse_jwks(jwks_bytes(nameless, EC), DEFAULT)
    assert found(keys, None, "RS256") == RSA_KEY.public_key()
    assert found(keys, None, "ES256") == EC_KEY.public_key()
    assert keys.find("ec", "ES256") is not None
    for kid in ("EC", "ec ", "", "None", "(none)"):
        assert keys.find(kid, "ES256") is keys.find(kid, "RS256") is None
    two = parse_jwks(jwks_bytes(nameless, RSA), DEFAULT)
    assert two.find(None, "RS256") is None
