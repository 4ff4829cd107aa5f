"""The canonical line of a row is the same before it is stored, and after, on every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from issuances.encoding import FIELDS, line_of, line_of_values
from issuances.exporting.exports import NDJSON, lines_of
from issuances.finding.filtered import Filtered
from issuances.identifiers import uuid7
from issuances.models import Issuance
from issuances.sealing.merkle import leaf_hash

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


# Seals, archives and proofs of many years hold the hash of such a line. It never changes: what a
# new column of the log needs first is in docs/decisions/0016-seals.md.
LINE = (
    '{"caller_jti":"caller-1","catalogue_revision":7,"client_id":"ci","created_at":'
    '"2026-03-01T12:00:00.000250Z","expires_at":"2026-03-01T12:05:00.000250Z","granted":'
    '[{"actions":["pull"],"name":"acme/é","type":"repository"}],"id":'
    '"019ca94e-f200-7000-8000-000000000001","jti":"019ca94e-f200-7000-8000-000000000001",'
    '"licence":"LIC-1","plan":"basic","refusal":"","remote_address":"192.0.2.7","request_id":'
    '"request-1","requested":[{"actions":["pull","push"],"name":"acme/é","type":"repository"}],'
    '"service":"registry.example.com","subject":"alice","tenant":"acme","user_agent":"docker/27"}'
)
LEAF = "61d87755aa73419eee15a9b334f613af8318cc77289c4c0e1d18ddce8551e341"


def test_the_line_of_a_row_is_for_ever():
    access = {"type": "repository", "name": "acme/é"}
    at = datetime(2026, 3, 1, 12, 0, 0, 250, tzinfo=UTC)
    row_id = UUID("019ca94e-f200-7000-8000-000000000001")
    row = Issuance.objects.create(
        id=row_id,
        created_at=at,
        request_id="request-1",
        subject="alice",
        client_id="ci",
        tenant="acme",
        plan="basic",
        licence="LIC-1",
        service="registry.example.com",
        requested=[access | {"actions": ["pull", "push"]}],
        granted=[access | {"actions": ["pull"]}],
        jti=row_id,
        expires_at=at + timedelta(minutes=5),
        catalogue_revision=7,
        caller_jti="caller-1",
        remote_address="192.0.2.7",
        user_agent="docker/27",
    )
    assert line_of(row).decode() == LINE
    assert [line for _, line in lines_of(Filtered(), NDJSON)] == [LINE + "\n"]
    assert leaf_hash(LINE.encode()).hex() == LEAF


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
