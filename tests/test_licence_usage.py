"""Who has been using licences lately: however a token spells them, and never more than was seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from issuances.identifiers import uuid7
from issuances.models import Issuance
from registry_token.lately import PERIOD
from registry_token.licence_usage import GRACE, in_words, usage_of

pytestmark = pytest.mark.django_db

# All of them are LIC-9 to the deny list.
SPELLINGS = ("LIC-9", "lic-9", "lIc-9", " LIC-9 ", "ＬＩＣ-9", "LIC\u0332-9", "ⅬⅠⅭ-9")


def used(licence, subject="alice", *, ago=timedelta(), lifetime=300):
    at = timezone.now() - ago
    key = uuid7(at)
    return Issuance.objects.create(
        id=key, created_at=at, request_id="r", subject=subject, plan="p", licence=licence,
        service="registry.example.com", requested=[], granted=[], jti=key,
        expires_at=at + timedelta(seconds=lifetime), catalogue_revision=1,
    )  # fmt: skip


@pytest.mark.parametrize("revoked", SPELLINGS)
def test_counts_every_spelling(revoked):
    for number, licence in enumerate(SPELLINGS):
        used(licence, f"caller {number}")
    for other in ("LIC-90", "LIC-", "", "LIC 9"):
        used(other, "another")
    usage = usage_of([revoked], timezone.now())
    assert usage[:2] == (len(SPELLINGS), len(SPELLINGS))
    assert usage.is_complete


def test_counts_callers_of_several_licences_once():
    for licence in ("LIC-1", "LIC-2", "lic-2"):
        used(licence)
    used("LIC-2", "bob")
    assert usage_of(["LIC-1", "LIC-2"], timezone.now())[:2] == (2, 4)


def test_counts_the_last_30_days():
    used("LIC-9", ago=PERIOD + timedelta(minutes=1))
    used("LIC-9", ago=PERIOD - timedelta(minutes=1))
    assert usage_of(["LIC-9"], timezone.now()).requests == 1


def test_knows_when_the_last_token_ends():
    used("LIC-9", ago=timedelta(seconds=30))
    last = used("lic-9", ago=timedelta(seconds=20), lifetime=300)
    used("LIC-8")
    assert last.expires_at is not None
    now = timezone.now()
    assert usage_of(["LIC-9"], now).alive_until == last.expires_at + GRACE
    assert usage_of(["LIC-9"], last.expires_at + GRACE).alive_until is None


@pytest.mark.parametrize("limit", [{"max_requests": 3}, {"max_spellings": 3}])
def test_says_when_there_is_more_than_it_looks_at(limit):
    for licence in ("LIC-1", "LIC-2", "LIC-9", "lic-9"):
        used(licence)
    usage = usage_of(["lic-9", "lic-1", "lic-2"], timezone.now(), **limit)
    assert not usage.is_complete
    assert usage.requests in (3, 4)
    assert usage.alive_until is not None
    assert "at least" in in_words(usage)
    assert "at least" not in in_words(usage_of(["lic-9"], timezone.now()))
