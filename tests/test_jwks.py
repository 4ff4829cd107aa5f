"""JWK sets: what becomes a key, for which algorithms, and what is skipped.

RFC 7517, 4 and 5; RFC 7518, 3.3 and 6; RFC 8725, 3.1, 3.4 and 3.5.
"""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from registry_token.jwks import MAX_KEYS, parse_jwks
from tests.authority import jwks_bytes, new_rsa_key, public_jwk

DEFAULT = ("RS256", "PS256", "ES256")
ALL = tuple(f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512))

RSA_KEY = new_rsa_key()
RSA = public_jwk(RSA_KEY, "good")
EC_KEY = ec.generate_private_key(ec.SECP256R1())
EC = public_jwk(EC_KEY, "ec")
ED25519 = OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate().public_key(), as_dict=True)


def usable(*entries, algorithms=DEFAULT):
    """What `parse_jwks` takes of the entries: key id and algorithm of each."""
    return sorted(parse_jwks(jwks_bytes(*entries), algorithms).keys, key=str)


@pytest.mark.parametrize(
    ("entry", "algorithms"),
    [
        (RSA, ["PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]),
        (RSA | {"alg": "PS256"}, ["PS256"]),
        (RSA | {"alg": "RS512", "use": "sig"}, ["RS512"]),
        (RSA | {"key_ops": ["verify"]}, ["PS256", "PS384", "PS512", "RS256", "RS384", "RS512"]),
        (RSA | {"key_ops": ["sign", "verify"], "alg": "RS256"}, ["RS256"]),
        (EC, ["ES256"]),
        (EC | {"alg": "ES256"}, ["ES256"]),
        (public_jwk(ec.generate_private_key(ec.SECP384R1()), "p384"), ["ES384"]),
        (public_jwk(ec.generate_private_key(ec.SECP521R1()), "p521"), ["ES512"]),
    ],
    ids=["RSA", "PS256", "RS512", "verify", "sign and verify", "EC", "ES256", "P-384", "P-521"],
)
def test_a_key_is_for_the_algorithms_of_its_type_curve_and_alg(entry, algorithms):
    assert usable(entry, algorithms=ALL) == [(entry["kid"], name) for name in algorithms]


def test_only_configured_algorithms_count():
    assert usable(RSA, EC) == [("ec", "ES256"), ("good", "PS256"), ("good", "RS256")]
    assert usable(RSA, EC, algorithms=("ES256",)) == [("ec", "ES256")]


def own(**members):
    """The good RSA key under another id, with other members; None takes one away."""
    changed = RSA | {"kid": "bad"} | members
    return {name: value for name, value in changed.items() if value is not None}


def secp256k1():
    return public_jwk(ec.generate_private_key(ec.SECP256K1()), "bad")


SKIPPED = {
    "string": "key",
    "number": 5,
    "null": None,
    "list": [RSA],
    "empty": {},
    "no kty": own(kty=None),
    "unknown kty": own(kty="AKP"),
    "kty in lower case": own(kty="rsa"),
    "kty no string": own(kty=["RSA"]),
    "another kty": own(kty="EC"),
    "oct": {"kty": "oct", "kid": "bad", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr"},
    "oct for RS256": {"kty": "oct", "kid": "bad", "alg": "RS256", "k": "AAAA"},
    "OKP": dict(ED25519) | {"kid": "bad"},
    "OKP for ES256": dict(ED25519) | {"kid": "bad", "alg": "ES256"},
    "use enc": own(use="enc"),
    "use unknown": own(use="SIG"),
    "use no string": own(use=["sig"]),
    "key_ops sign": own(key_ops=["sign"]),
    "key_ops encrypt": own(key_ops=["encrypt", "wrapKey"]),
    "key_ops empty": own(key_ops=[]),
    "key_ops no list": own(key_ops="verify"),
    "use sig, key_ops encrypt": own(use="sig", key_ops=["encrypt"]),
    "alg none": own(alg="none"),
    "alg HS256": own(alg="HS256"),
    "alg of EC": own(alg="ES256"),
    "alg of encryption": own(alg="RSA-OAEP-256"),
    "alg not configured": own(alg="RS384"),
    "alg in lower case": own(alg="rs256"),
    "alg no string": own(alg=["RS256"]),
    "kid a number": own(kid=5),
    "kid a list": own(kid=["bad"]),
    "no n": own(n=None),
    "no e": own(e=None),
    "n a number": own(n=5),
    "n empty": own(n=""),
    "n no base64url": own(n="é!"),
    "n a lone surrogate": own(n="\ud800"),
    "e empty": own(e=""),
    "e one": own(e="AQ"),
    "e even": own(e="Ag"),
    "e longer than n": own(n=RSA["e"], e=RSA["n"]),
    "RSA 512": own(n=RSA["n"][:86]),
    "RSA 1024": public_jwk(new_rsa_key(1024), "bad"),
    "RSA 2047": own(n="f" + RSA["n"][1:]),
    "EC without y": {name: EC[name] for name in EC if name != "y"} | {"kid": "bad"},
    "EC off the curve": EC | {"kid": "bad", "y": EC["x"]},
    "EC at infinity": EC | {"kid": "bad", "x": "A" * 43, "y": "A" * 43},
    "EC too short": EC | {"kid": "bad", "x": EC["x"][:-2], "y": EC["y"][:-2]},
    "EC with RSA's members": EC | {"kid": "bad", "kty": "RSA"},
    "EC of another curve": EC | {"kid": "bad", "crv": "P-384"},
    "EC of no curve": EC | {"kid": "bad", "crv": None},
    "EC of a list of curves": EC | {"kid": "bad", "crv": ["P-256"]},
    "EC for RS256": EC | {"kid": "bad", "alg": "RS256"},
    "secp256k1": secp256k1(),
    "secp256k1 as P-256": secp256k1() | {"crv": "P-256"},
}


@pytest.mark.parametrize("entry", SKIPPED.values(), ids=SKIPPED)
def test_skips_an_unusable_entry_and_keeps_the_others(entry):
    good = [("good", "PS256"), ("good", "RS256")]
    assert usable(entry, RSA) == usable(RSA, entry) == good
    with pytest.raises(ValueError, match="no public signature key for RS256, PS256, ES256"):
        usable(entry)


NO_SETS = {
    "empty": (b"", "Expecting value"),
    "HTML": (b"<html>", "Expecting value"),
    "a list": (jwks_bytes(RSA)[9:-1], "not a JSON object"),
    "a single key": (json.dumps(RSA).encode(), "no list of keys"),
    "keys an object": (json.dumps({"keys": {"good": RSA}}).encode(), "no list of keys"),
    "keys null": (b'{"keys": null}', "no list of keys"),
    "keys twice": (b'{"keys": [], "keys": []}', "a member twice"),
    "no keys": (b'{"keys": []}', "no public signature key"),
    "UTF-16": (jwks_bytes(RSA).decode().encode("utf-16"), "utf-8"),
    "deep": (b'{"keys":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
}


@pytest.mark.parametrize(("document", "error"), NO_SETS.values(), ids=NO_SETS)
def test_refuses_what_is_no_key_set(document, error):
    with pytest.raises(ValueError, match=error):
        parse_jwks(document, DEFAULT)


def test_private_members_are_ignored():
    rsa_private = RSAAlgorithm.to_jwk(RSA_KEY, as_dict=True)
    ec_private = ECAlgorithm.to_jwk(EC_KEY, as_dict=True)
    private = [dict(rsa_private) | {"kid": "rsa"}, dict(ec_private) | {"kid": "ec"}]
    for entry in private:
        assert "d" in entry
        entry.pop("key_ops", None)
    for key in parse_jwks(jwks_bytes(*private), ALL).keys.values():
        assert isinstance(key.key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey))


def test_takes_the_first_hundred_entries():
    junk = [{"kty": "AKP"}] * (MAX_KEYS - 1)
    assert usable(*junk, RSA) == [("good", "PS256"), ("good", "RS256")]
    with pytest.raises(ValueError, match="no public signature key"):
        usable(*junk, "junk", RSA)


values = st.none() | st.integers() | st.text() | st.lists(st.text()) | st.just("AQAB")
members = st.sampled_from(["kty", "n", "e", "crv", "x", "y", "alg", "use", "key_ops", "kid"])


@settings(deadline=None)
@given(st.sampled_from([RSA, EC]), st.dictionaries(members, values))
def test_a_good_key_survives_any_other_entry(entry, changes):
    keys = parse_jwks(jwks_bytes(entry | {"kid": "x"} | changes, RSA), DEFAULT)
    assert keys.find("good", "RS256") is not None
