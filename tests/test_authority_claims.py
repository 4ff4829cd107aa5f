"""The claims that say whose token it is and for whom: iss, aud, sub, scope and their like.

RFC 8725, 3.8 and 3.9; RFC 9068, 2.2 and 4; RFC 6749, 3.3; RFC 9449 and RFC 8705 (`cnf`).
"""

from __future__ import annotations

import json

import jwt
import pytest
from django.conf import settings as configured

from registry_token.signing import signing_key
from tests.authority import ISSUER, jwks_bytes, public_jwk
from tests.caller_tokens import GENERAL, PULL, raw_token, refusal

WRONG_AUDIENCE = "the access token is meant for another audience"
WRONG_ISSUER = "the access token comes from another issuer"
UNKNOWN_KEY = "the access token is signed with a key that the Authority does not publish"


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "sub"])
def test_refuses_a_token_without_a_required_claim(claim, authority, get_token):
    assert refusal(get_token(authority.token(**{claim: None}))) == GENERAL
    null = raw_token(authority, payload=authority.claims() | {claim: None})
    assert refusal(get_token(null)) == GENERAL


@pytest.mark.parametrize(
    "aud", ["registry-token", ["registry-token"], ["other", "registry-token"]], ids=json.dumps
)
@pytest.mark.usefixtures("catalogue")
def test_accepts_an_audience_alone_and_in_a_list(aud, authority, get_token):
    assert get_token(authority.token("community", aud=aud), PULL).status_code == 200


@pytest.mark.usefixtures("catalogue")
def test_accepts_each_of_the_configured_audiences(authority, get_token, settings):
    settings.AUTHORITY_AUDIENCES = ("first", "second")
    assert get_token(authority.token("community", aud="second"), PULL).status_code == 200
    assert refusal(get_token(authority.token())) == WRONG_AUDIENCE


AUDIENCES = ["other", "registry", "registry-token ", "Registry-Token", "registry-token-2", " "]
AUDIENCES += ["registry-token,other", ["other"], ["registry-token", 5], ["registry-token", None]]
AUDIENCES += [[["registry-token"]], {"registry-token": 1}, 5, True, "registry.example.com"]


@pytest.mark.parametrize("aud", AUDIENCES, ids=json.dumps)
def test_refuses_another_audience(aud, authority, get_token):
    assert refusal(get_token(authority.token(aud=aud))) == WRONG_AUDIENCE


@pytest.mark.parametrize("aud", ["", [], {}, 0, False], ids=json.dumps)
def test_refuses_an_empty_audience(aud, authority, get_token):
    assert refusal(get_token(authority.token(aud=aud))) == GENERAL


ISSUERS = [f"{ISSUER}/", ISSUER[:-1], ISSUER[8:], ISSUER.upper(), f" {ISSUER}", f"{ISSUER}:443"]
ISSUERS += [f"{ISSUER}/realms/other", "https", "", [ISSUER], {ISSUER: 1}, 5, True]


@pytest.mark.parametrize("iss", ISSUERS, ids=json.dumps)
def test_cve_2024_53861_compares_the_issuer_to_the_letter(iss, authority, get_token):
    token = raw_token(authority, payload=authority.claims(iss=iss))
    assert refusal(get_token(token)) == WRONG_ISSUER


SUBJECTS = ["", 5, 0, True, [], ["alice"], {"alice": 1}, "al\x00ice", "alice\n", "al\x1bice"]
SUBJECTS += ["al\u2028ice", "al\u202eice", "\ud800", "alice\u200b", "a" * 256, "a" * 300]


@pytest.mark.parametrize("sub", SUBJECTS, ids=lambda sub: json.dumps(sub)[:20])
def test_refuses_a_subject_that_is_no_printable_text(sub, authority, get_token):
    assert refusal(get_token(authority.token(sub=sub))) == GENERAL


@pytest.mark.parametrize("sub", ["a", "alice@example.com", "Zoë Ω 例", "a" * 255, "é" * 255])
@pytest.mark.usefixtures("catalogue")
def test_the_subject_of_the_answer_is_the_callers(sub, authority, get_token, open_token):
    assert open_token(get_token(authority.token("community", sub=sub), PULL))["sub"] == sub


@pytest.mark.parametrize("claim", ["client_id", "azp", "jti", "stellaops:tenant"])
@pytest.mark.parametrize("value", [5, ["a"], {}, "a\x00", "\udfff", "a" * 300], ids=json.dumps)
def test_refuses_names_that_are_no_printable_text(value, claim, authority, get_token):
    claims = authority.claims(client_id=None) | {claim: value}
    assert refusal(get_token(raw_token(authority, payload=claims))) == GENERAL


@pytest.mark.usefixtures("catalogue")
def test_client_id_iat_and_jti_may_be_missing(authority, get_token):
    token = authority.token("community", client_id=None, iat=None, jti=None)
    assert get_token(token, PULL).status_code == 200


NEEDED = "registry.token.issue"
ENOUGH = {
    "alone": {"scope": NEEDED},
    "among others": {"scope": f"openid {NEEDED} x"},
    "with blanks": {"scope": f"  {NEEDED}  "},
    "scope list": {"scope": ["openid", NEEDED]},
    "list with others": {"scope": [5, None, NEEDED]},
    "scp string": {"scope": None, "scp": NEEDED},
    "scp list": {"scope": None, "scp": [NEEDED]},
    "scp beside scope": {"scope": "openid", "scp": [NEEDED]},
    "scope beside scp": {"scope": NEEDED, "scp": 5},
}


@pytest.mark.parametrize("claims", ENOUGH.values(), ids=ENOUGH)
@pytest.mark.usefixtures("catalogue")
def test_accepts_the_required_scope(claims, authority, get_token):
    assert get_token(authority.token("community", **claims), PULL).status_code == 200


INSUFFICIENT = {
    "missing": None,
    "empty": "",
    "other": "openid",
    "longer": f"{NEEDED}.x",
    "prefix": "registry.token",
    "other case": NEEDED.upper(),
    "no-break space": f"openid\u00a0{NEEDED}",
    "tab": f"openid\t{NEEDED}",
    "newline": f"openid\n{NEEDED}",
    "comma": f"openid,{NEEDED}",
    "number": 5,
    "true": True,
    "object": {NEEDED: True},
    "empty list": [],
    "list in a list": [[NEEDED]],
    "list of one text": [f"openid {NEEDED}"],
}


@pytest.mark.parametrize("name", ["scope", "scp"])
@pytest.mark.parametrize("scope", INSUFFICIENT.values(), ids=INSUFFICIENT)
@pytest.mark.usefixtures("catalogue")
def test_denies_without_the_required_scope(scope, name, authority, get_token):
    response = get_token(authority.token("community", **{"scope": None} | {name: scope}), PULL)
    assert response.status_code == 403
    assert response.json()["errors"][0]["detail"]["reason"] == "insufficient_scope"


@pytest.mark.usefixtures("catalogue")
def test_all_of_the_required_scopes_are_required(authority, get_token, settings):
    settings.AUTHORITY_REQUIRED_SCOPES = (NEEDED, "other")
    assert get_token(authority.token("community"), PULL).status_code == 403
    both = authority.token("community", scope=f"other {NEEDED}")
    assert get_token(both, PULL).status_code == 200


CONFIRMATIONS = [{"jkt": "x"}, {"x5t#S256": "x"}, {}, "x", None, []]


@pytest.mark.parametrize("cnf", CONFIRMATIONS, ids=json.dumps)
def test_refuses_a_token_that_is_bound_to_a_key(cnf, authority, get_token):
    token = raw_token(authority, payload=authority.claims() | {"cnf": cnf})
    assert refusal(get_token(token)) == GENERAL


@pytest.mark.usefixtures("catalogue")
def test_refuses_the_tokens_of_this_service(authority, get_token, settings, tmp_path):
    token = get_token(authority.token("community"), PULL).json()["token"]
    assert refusal(get_token(token, PULL)) == UNKNOWN_KEY
    # Not even when the Authority publishes the key.
    keys = tmp_path / "keys.json"
    keys.write_bytes(
        jwks_bytes(public_jwk(signing_key().private_key, jwt.get_unverified_header(token)["kid"]))
    )
    settings.AUTHORITY_JWKS = str(keys)
    assert refusal(get_token(token, PULL)) == WRONG_ISSUER
    settings.AUTHORITY_ISSUER = configured.SIGNING_ISSUER
    assert refusal(get_token(token, PULL)) == WRONG_AUDIENCE
