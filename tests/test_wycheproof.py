"""Wycheproof's vectors for JWS and JWK, through our own reading of keys, headers and signatures.

The payloads are no access tokens, so the vectors are driven through the steps that `authenticate`
takes up to the verified signature: the header as `authority` reads it, the key that its key source
finds in the group's JWK set, and the signature check of the same `_jwt`. All algorithms that can be
configured are allowed here. Then `authenticate` itself must refuse every vector, the valid too.

Everything that Wycheproof calls invalid is refused. What it calls valid is accepted, except:

- HS256, HS384, HS512 (1, 348, 352, 357-359, 372, 373, 376, 377; keys 2, 13-15): symmetric
  algorithms are never accepted (RFC 8725, 3.1). 372 and 373 also hold a character that is not
  base64url.
- Empty payloads (259, 264, 268, 272, 320, 325): an access token has claims, and the form is
  checked before the signature.
- RFC 7520 with its JWK relabelled: `alg` PS256 in the key and PS384 in the header (346, 350), and
  `alg` ES521, which does not exist, for ES512 (347, 351). A key is used with its own algorithm only
  (RFC 8725, 3.1).
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from jwt.exceptions import PyJWTError

from registry_token import authority
from registry_token.authority_keys import key_source
from registry_token.config_values import BASE_DIR
from registry_token.errors import Unauthenticated, Unavailable

FOLDER = BASE_DIR.parent / "shared" / "wycheproof"

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="Wycheproof's vectors are not in ../shared/wycheproof"
)

ALGORITHMS = tuple(f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512))

SYMMETRIC = {1, 348, 352, 357, 358, 359, 372, 373, 376, 377}
SYMMETRIC_KEYS = {2, 13, 14, 15}
EMPTY_PAYLOAD = {259, 264, 268, 272, 320, 325}
RELABELLED_KEY = {346, 347, 350, 351}


class Refused(Exception):
    """By a step before the signature, or by the signature."""


def verified_payload(token: str) -> bytes:
    """The payload, after the steps of `authenticate` that do not look at it."""
    try:
        header = authority._unverified_header(token)
        key = key_source().find(header.get("kid"), header["alg"])
        if key is None:
            raise Refused("unknown key")
        verified = authority._jwt._jws.decode_complete(token, key, algorithms=[header["alg"]])
    except (authority._Refused, PyJWTError, Unavailable) as error:
        raise Refused(str(error)) from error
    payload: bytes = verified["payload"]
    return payload


def groups(name: str) -> list[dict[str, Any]]:
    """The groups of a file of vectors."""
    document: dict[str, Any] = json.loads((FOLDER / name).read_bytes())
    groups: list[dict[str, Any]] = document["testGroups"]
    assert sum(len(group["tests"]) for group in groups) == document["numberOfTests"]
    return groups


@pytest.fixture
def publish(settings, tmp_path):
    """Makes a group's keys those of the Authority."""
    settings.AUTHORITY_ALGORITHMS = ALGORITHMS
    published = 0

    def publish(group):
        nonlocal published
        published += 1
        keys = group.get("public") or group["private"]
        path = tmp_path / f"{published}.json"
        path.write_text(json.dumps(keys if "keys" in keys else {"keys": [keys]}))
        settings.AUTHORITY_JWKS = str(path)

    return publish


def run(name, publish):
    """Every vector of a file, by what became of it: verdicts of Wycheproof, ids, algorithms."""
    called_valid, called_invalid, accepted = set(), set(), {}
    for group in groups(name):
        publish(group)
        for vector in group["tests"]:
            called = called_valid if vector["result"] == "valid" else called_invalid
            called.add(vector["tcId"])
            try:
                verified_payload(vector["jws"])
            except Refused:
                continue
            accepted[vector["tcId"]] = authority._unverified_header(vector["jws"])["alg"]
    return called_valid, called_invalid, accepted


def test_signatures(publish):
    valid, invalid, accepted = run("json_web_signature_test.json", publish)
    assert (len(valid), len(invalid)) == (46, 355)
    assert sorted(invalid & accepted.keys()) == []
    assert valid - accepted.keys() == SYMMETRIC | EMPTY_PAYLOAD | RELABELLED_KEY
    assert set(accepted.values()) == {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256"}


def test_keys(publish):
    valid, invalid, accepted = run("json_web_key_test.json", publish)
    assert (len(valid), len(invalid)) == (5, 21)
    assert sorted(invalid & accepted.keys()) == []
    assert valid - accepted.keys() == SYMMETRIC_KEYS
    assert accepted == {5: "RS256"}


def test_of_the_key_sets_only_two_hold_a_usable_key(publish):
    usable = {}
    for group in groups("json_web_key_test.json"):
        publish(group)
        if key_ids := key_source().status().key_ids:
            usable |= {vector["tcId"]: key_ids for vector in group["tests"]}
    # Of the mixed set that 1 is about, the symmetric key is left out.
    assert usable == {1: ["kid-ec-sign"], 5: ["kid-rsa-sign"]}


@pytest.mark.parametrize("name", ["json_web_signature_test.json", "json_web_key_test.json"])
def test_no_vector_is_an_access_token(name, publish):
    refused = 0
    for group in groups(name):
        publish(group)
        for vector in group["tests"]:
            with pytest.raises((Unauthenticated, Unavailable)):
                authority.authenticate(vector["jws"])
            refused += 1
    assert refused == {"json_web_signature_test.json": 401, "json_web_key_test.json": 26}[name]
