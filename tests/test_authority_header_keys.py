"""The key that a header names, and keys that a header brings along: only published keys count.

RFC 8725, 3.10; RFC 7515, 4.1.2 to 4.1.8. Key ids are hostile text until they match a loaded key.
"""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from registry_token.key_files import self_signed_certificate_pem
from tests.authority import new_rsa_key, public_jwk
from tests.caller_tokens import GENERAL, PULL, raw_token, refusal
from tests.key_server import KeyServer

UNKNOWN_KEY = "the access token is signed with a key that the Authority does not publish"
BAD_SIGNATURE = "the access token's signature does not match"


@pytest.fixture(scope="module")
def mallory():
    """The attacker's own key."""
    return new_rsa_key()


HOSTILE_KIDS = {
    "path": "../../../../dev/null",
    "own path": "/etc/passwd",
    "URL": "http://169.254.169.254/latest/meta-data/",
    "SQL": "' OR 1=1; DROP TABLE plans_plan; --",
    "template": "{{ settings.SECRET_KEY }} %s %(x)s ${x}",
    "NUL": "key\x00",
    "line break": 'key\r\n{"message": "granted"}',
    "surrogate": "\ud800",
    "empty": "",
    "10 KB": "k" * 10_000,
    "other case": "AUTHORITY",
}


@pytest.mark.parametrize("kid", HOSTILE_KIDS.values(), ids=HOSTILE_KIDS)
def test_a_hostile_key_id_is_an_unknown_key(kid, authority, get_token):
    header = {"alg": "RS256", "kid": kid}
    assert refusal(get_token(raw_token(authority, header))) == UNKNOWN_KEY


@pytest.mark.parametrize("kid", [5, 0, 1.5, True, [], ["kid"], {}], ids=json.dumps)
def test_refuses_a_key_id_that_is_no_string(kid, authority, get_token):
    assert refusal(get_token(raw_token(authority, {"alg": "RS256", "kid": kid}))) == GENERAL


@pytest.mark.usefixtures("catalogue")
def test_without_key_id_the_only_fitting_key_is_used(authority, get_token, mallory):
    assert get_token(raw_token(authority, {"alg": "RS256"}), PULL).status_code == 200
    forged = authority.token(key=mallory, headers={"kid": None})
    assert refusal(get_token(forged)) == BAD_SIGNATURE


def own_key(key, server):
    """Header parameters that bring a key, or say where one is: RFC 7515, 4.1.2 to 4.1.6."""
    pem = self_signed_certificate_pem(key, "mallory")
    der = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    return {
        "jwk": public_jwk(key, None),
        "jku": f"{server.url}/jwks",
        "x5u": f"{server.url}/certificate",
        "x5c": [base64.b64encode(der).decode()],
        "x5t#S256": base64.urlsafe_b64encode(hashlib.sha256(der).digest()).decode(),
    }


def test_cve_2025_24976_never_uses_a_key_of_the_header(authority, get_token, mallory):
    with KeyServer() as server:
        brought = own_key(mallory, server)
        for headers in (*({name: value} for name, value in brought.items()), brought):
            forged = authority.token(key=mallory, headers=headers)
            assert refusal(get_token(forged)) == BAD_SIGNATURE
            other = authority.token(key=mallory, headers=headers | {"kid": "mallory"})
            assert refusal(get_token(other)) == UNKNOWN_KEY
            jwk = public_jwk(mallory, authority.kid)
            named = authority.token(key=mallory, headers=headers | {"jwk": jwk})
            assert refusal(get_token(named)) == BAD_SIGNATURE
        assert server.requests == []


@pytest.mark.usefixtures("catalogue")
def test_ignores_a_key_in_the_header_of_a_good_token(authority, get_token, mallory):
    with KeyServer() as server:
        token = authority.token("community", headers=own_key(mallory, server))
        assert get_token(token, PULL).status_code == 200
        assert server.requests == []
