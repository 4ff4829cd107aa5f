"""Verified tokens are remembered, and forgotten whenever that could matter."""

from __future__ import annotations

import jwt
import pytest
from django.conf import settings

from registry_token.authority import Caller
from registry_token.verified import Verification, VerifiedTokens, digest_of
from tests.authority import Authority, new_rsa_key

PULL = "repository:stella-ops/public/app:pull"
ALICE = Caller(subject="alice")
BASIS = ("keys", "rules")


def remembering(token: str, *, at: float = 100, expires_at: float = 200) -> VerifiedTokens[Caller]:
    tokens: VerifiedTokens[Caller] = VerifiedTokens()
    tokens.remember(digest_of(token), Verification(BASIS, at, expires_at, ALICE))
    return tokens


@pytest.mark.parametrize(
    ("token", "basis", "now"),
    {
        "another token": ("x", BASIS, 150),
        "other keys": ("t", ("other", "rules"), 150),
        "at its exp": ("t", BASIS, 200),
        "before it was verified": ("t", BASIS, 99.9),
    }.values(),
    ids=["another token", "other keys", "at its exp", "before it was verified"],
)
def test_verifies_anew(token, basis, now):
    assert remembering("t").recall(digest_of(token), basis, now) is None


@pytest.mark.parametrize("now", [100, 199.9])
def test_recalls_the_caller_until_the_token_expires(now):
    assert remembering("t").recall(digest_of("t"), BASIS, now) is ALICE


def test_keeps_no_more_than_its_bound_and_forgets_the_oldest():
    tokens: VerifiedTokens[Caller] = VerifiedTokens(most=3)
    for name in "abacd":
        tokens.remember(digest_of(name), Verification(BASIS, 0, 9, ALICE))
    assert [name for name in "abcd" if digest_of(name) in tokens] == ["a", "c", "d"]
    assert len(tokens) == 3


def test_keeps_no_token():
    tokens = remembering("the token itself")
    assert "the token itself" not in repr(tokens._verifications)


@pytest.mark.django_db
@pytest.mark.usefixtures("catalogue")
class TestAtTheTokenEndpoint:
    def test_a_withdrawn_key_ends_what_was_remembered(self, authority, get_token):
        token = authority.token("community")
        assert get_token(token, PULL).status_code == 200
        try:
            Authority().publish(str(settings.AUTHORITY_JWKS))
            assert get_token(token, PULL).status_code == 401
        finally:
            authority.publish(settings.AUTHORITY_JWKS)
        assert get_token(token, PULL).status_code == 200

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("AUTHORITY_AUDIENCES", ("somebody else",)),
            ("AUTHORITY_ISSUER", "https://other.example.com"),
            ("AUTHORITY_ALGORITHMS", ("ES256",)),
        ],
    )
    def test_other_rules_end_it(self, authority, get_token, settings, name, value):
        token = authority.token("community")
        assert get_token(token, PULL).status_code == 200
        setattr(settings, name, value)
        assert get_token(token, PULL).status_code in (401, 503)

    def test_the_same_claims_under_another_signature_are_another_token(self, authority, get_token):
        token = authority.token("community")
        assert get_token(token, PULL).status_code == 200
        head_and_claims = token.rpartition(".")[0]
        forged = jwt.encode({}, new_rsa_key(), algorithm="RS256").rpartition(".")[2]
        assert get_token(f"{head_and_claims}.{forged}", PULL).status_code == 401

    def test_a_refused_token_is_not_remembered(self, authority, get_token):
        from registry_token.authority import _verified

        before = len(_verified)
        for _ in range(3):
            assert get_token(authority.token("community", exp=1), PULL).status_code == 401
        assert len(_verified) == before
