"""Times in a caller token: exp, nbf and iat with the configured leeway, as JSON numbers only.

RFC 7519, 2 (NumericDate) and 4.1. The clock is real; edges are seconds away from the leeway.
"""

from __future__ import annotations

import json
import time

import pytest

from tests.caller_tokens import GENERAL, PULL, raw_token, refusal

EXPIRED = "the access token has expired; log in with a new one"
NOT_YET_VALID = "the access token is not valid yet; check clocks"


def now() -> int:
    return int(time.time())


@pytest.mark.parametrize(
    ("claim", "seconds"), [("exp", -20), ("nbf", 20), ("iat", 20), ("nbf", -9), ("iat", -9)]
)
@pytest.mark.usefixtures("catalogue")
def test_accepts_within_the_leeway(claim, seconds, authority, get_token):
    for moved in (now() + seconds, now() + seconds + 0.5):
        response = get_token(authority.token("community", **{claim: moved}), PULL)
        assert response.status_code == 200


BEYOND = {"exp": (-40, EXPIRED), "nbf": (40, NOT_YET_VALID), "iat": (40, NOT_YET_VALID)}


@pytest.mark.parametrize(("claim", "case"), BEYOND.items(), ids=BEYOND)
def test_refuses_beyond_the_leeway(claim, case, authority, get_token):
    seconds, message = case
    for moved in (now() + seconds, now() + seconds + 0.5):
        assert refusal(get_token(authority.token(**{claim: moved}))) == message


@pytest.mark.parametrize(
    ("leeway", "claim", "seconds"),
    [(0, "exp", -3), (0, "nbf", 5), (0, "iat", 5), (120, "exp", -125), (120, "nbf", 125)],
)
def test_refuses_beyond_another_leeway(leeway, claim, seconds, authority, get_token, settings):
    settings.AUTHORITY_LEEWAY = leeway
    message = EXPIRED if claim == "exp" else NOT_YET_VALID
    assert refusal(get_token(authority.token(**{claim: now() + seconds}))) == message


@pytest.mark.parametrize(("claim", "seconds"), [("exp", -110), ("nbf", 110), ("iat", 110)])
@pytest.mark.usefixtures("catalogue")
def test_accepts_within_another_leeway(claim, seconds, authority, get_token, settings):
    settings.AUTHORITY_LEEWAY = 120
    token = authority.token("community", **{claim: now() + seconds})
    assert get_token(token, PULL).status_code == 200


@pytest.mark.parametrize("exp", [0, -1, -0.5, 1e-9, -(10**300), -1e300], ids=json.dumps)
def test_the_distant_past_has_expired(exp, authority, get_token):
    assert refusal(get_token(authority.token(exp=exp))) == EXPIRED


@pytest.mark.parametrize(
    "time", [10**300, 1e300, 10**4000], ids=["integer", "float", "4001 digits"]
)
def test_the_distant_future_is_not_yet_valid(time, authority, get_token):
    for claim in ("nbf", "iat"):
        assert refusal(get_token(authority.token(**{claim: time}))) == NOT_YET_VALID


NO_NUMBERS = {
    "string": b'"GOOD"',
    "float in a string": b'"GOOD.5"',
    "blanks in a string": b'" GOOD "',
    "date": b'"2099-01-01T00:00:00Z"',
    "blank": b'""',
    "word": b'"NaN"',
    "list": b"[9999999999]",
    "object": b"{}",
    "NaN": b"NaN",
    "Infinity": b"Infinity",
    "-Infinity": b"-Infinity",
    "1e999": b"1e999",
    "-1e999": b"-1e999",
    "5000 digits": b"9" * 5000,
    "hexadecimal": b"0xffffffff",
    "underscores": b"9_999_999_999",
    "plus": b"+9999999999",
    "leading zero": b"09999999999",
}


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("number", NO_NUMBERS.values(), ids=NO_NUMBERS)
def test_refuses_times_that_are_no_json_numbers(number, claim, authority, get_token):
    good = b"9999999999" if claim == "exp" else b"1"
    claims = authority.claims(**{claim: 123456789})
    payload = json.dumps(claims).encode().replace(b"123456789", number.replace(b"GOOD", good))
    assert refusal(get_token(raw_token(authority, payload=payload))) == GENERAL


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [True, False, None], ids=json.dumps)
def test_refuses_times_that_are_truth_values(value, claim, authority, get_token):
    claims = authority.claims() | {claim: value}
    assert refusal(get_token(raw_token(authority, payload=claims))) == GENERAL
