"""The canonical line of a row is the same before it is stored, and after, on every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from issuances.encoding import FIELDS, line_of, line_of_values
from issuances.exports import NDJSON, lines_of
from issuances.filters import Filtered
from issuances.identifiers import uuid7
from issuances.models import Issuance

pytestmark = pytest.mark.django_db

# What PostgreSQL stores: no NUL, no half of a surrogate pair.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
AWKWARD = st.sampled_from(
    ("", " ", '"', "\\", "\\u0000", "\x7f", "\x1f", "\u2028", "\ufeff", "日本", "e\u0301", "\xe9")
)
WORDS = TEXT | AWKWARD
ACCESS = st.lists(
    st.fixed_dictionaries(
        {"type": WORDS, "name": WORDS, "actions": st.lists(WORDS, max_size=3)},
        optional={"class": WORDS, "more": st.none() | st.booleans() | st.integers(-(2**53), 2**53)},
    ),
    max_size=3,
)
BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
LATER = st.timedeltas(timedelta(days=1), timedelta(days=2_500_000))
TIMES = LATER.map(BEGIN.__add__) | st.just(datetime(2026, 3, 1, tzinfo=UTC))


@st.composite
def decisions(draw):
    at = draw(TIMES)
    row_id, is_refused = uuid7(at), draw(st.booleans())
    texts = ("subject", "client_id", "tenant", "plan", "licence", "service", "caller_jti")
    return Issuance(
        id=row_id,
        created_at=at,
        request_id=draw(WORDS),
        requested=draw(ACCESS),
        granted=draw(ACCESS),
        refusal="plan_unknown" if is_refused else "",
        jti=None if is_refused else row_id,
        expires_at=None if is_refused else at + timedelta(microseconds=draw(st.integers(0, 10**9))),
        catalogue_revision=draw(st.integers(0, 2**63 - 1)),
        remote_address="2001:db8::1",
        user_agent=draw(WORDS),
        **{name: draw(WORDS) for name in texts},
    )


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(decisions(), min_size=1, max_size=3))
def test_a_line_is_the_same_before_and_after_it_was_stored(rows):
    Issuance.objects.all().delete()
    Issuance.objects.bulk_create(rows)
    expected = [line_of(one) for one in sorted(rows, key=lambda one: one.id)]
    stored = Issuance.objects.order_by("id")
    assert [line_of(one) for one in stored] == expected
    assert [line_of_values(values) for values in stored.values_list(*FIELDS)] == expected
    assert [line.encode() for _, line in lines_of(Filtered(), NDJSON)] == [
        line + b"\n" for line in expected
    ]
