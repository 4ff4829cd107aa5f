"""Any text and any signed token is a caller or a refusal, never another error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry_token.authority import Caller, authenticate
from registry_token.errors import Unauthenticated
from tests.caller_tokens import raw_token

PROPERTY = settings(
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

texts = st.text(max_size=20) | st.sampled_from(
    ["\ud800", "\x00", "registry.token.issue", "a" * 256]
)
numbers = st.integers() | st.floats() | st.sampled_from([0, -1, 2**63, 10**400, 1e300])
scalars = st.one_of(st.none(), st.booleans(), texts, numbers)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=2),
    max_leaves=4,
)
claim_names = st.sampled_from(
    ["iss", "aud", "exp", "nbf", "iat", "sub", "jti", "scope", "scp", "client_id", "azp", "cnf"]
    + [f"stellaops:{name}" for name in ("plan", "license", "tenant")]
)
header_names = st.sampled_from(["alg", "typ", "kid", "crit", "b64", "zip", "jwk", "jku", "x5c"])


def caller_of(token):
    """The caller, or None when the token is refused."""
    try:
        return authenticate(token)
    except Unauthenticated as refused:
        assert refused.message.startswith("the access token")
        return None


@PROPERTY
@given(st.dictionaries(claim_names, values, max_size=4))
def test_any_claims(authority, changes):
    caller = caller_of(raw_token(authority, payload=authority.claims() | changes))
    if caller is not None:
        assert isinstance(caller, Caller)
        assert 0 < len(caller.subject) <= 255
        for text in (caller.subject, caller.client_id, caller.tenant, caller.jti):
            assert text.isprintable()
        for name in (caller.plan, caller.licence):
            assert name is None or (isinstance(name, str) and name.isprintable())


@PROPERTY
@given(st.dictionaries(header_names, values, max_size=3))
def test_any_header(authority, changes):
    header = {"alg": "RS256", "kid": authority.kid} | changes
    caller_of(raw_token(authority, header))


@PROPERTY
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_in_the_segments(authority, header, payload):
    assert caller_of(raw_token(authority, header, payload)) is None


@PROPERTY
@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]{1,9}\.[A-Za-z0-9_-]{1,9}\.[A-Za-z0-9_-]{1,9}"))
def test_any_text(text):
    assert caller_of(text) is None


@PROPERTY
@given(st.data())
def test_any_changed_character(authority, data):
    token = raw_token(authority)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(
        st.sampled_from("ABCXYZabcxyz0189-_.=+/ ").filter(lambda c: c != token[place])
    )
    assert caller_of(token[:place] + other + token[place + 1 :]) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")], ids=json.dumps)
def test_no_header_with_other_than_json(authority, value):
    header = json.dumps({"alg": "RS256", "kid": authority.kid, "x": value}).encode()
    assert caller_of(raw_token(authority, header)) is None
