"""Consequences of a change, decided over rows of the issuance log."""

from __future__ import annotations

import pytest
from django.utils import timezone

from issuances.identifiers import uuid7
from issuances.models import Issuance
from plans.catalogue import Revision, catalogue_of_snapshot
from registry_token.consequences import consequences_of, rows_of
from registry_token.exchange import policy
from registry_token.lately import PERIOD


def row(subject="alice", actions=("pull",), plan="team", refusal="nothing_granted", **more):
    """One row; what it got does not matter, it is decided again."""
    requested = [{"type": "repository", "name": "team/app", "actions": list(actions)}]
    now = more.pop("now", None) or timezone.now()
    return Issuance(
        id=uuid7(now), created_at=now, subject=subject, plan=plan, licence="LIC-1",
        service="registry.example.com", requested=requested if actions else [], granted=[],
        refusal=refusal, catalogue_revision=1, **more,
    )  # fmt: skip


def catalogue(*actions, **plan):
    rules = [{"repositories": "team/**", "actions": list(actions)}] if actions else []
    return catalogue_of_snapshot([{"name": "team", "rules": rules} | plan], Revision(1, ""))


OLD = catalogue("pull", "push")


@pytest.mark.parametrize(
    ("asked", "new", "lost"),
    [
        (["pull"], OLD, []),
        (["pull", "push"], catalogue("pull"), ["repository:team/app:push"]),
        (["pull"], catalogue("pull"), []),
        (["pull"], catalogue(), ["repository:team/app:pull"]),
        (["delete"], catalogue("pull"), []),
        ([], catalogue("pull", "push", enabled=False), [""]),
        (["pull"], catalogue("*"), []),
    ],
)
def test_names_what_a_request_would_lose(asked, new, lost):
    found = consequences_of([row(actions=asked)], OLD, new, policy())
    assert [example.lost for example in found.examples] == lost
    assert found.requests == len(lost)


def test_a_caller_whose_licence_is_revoked_loses_nothing():
    revoked = row(refusal="licence_revoked")
    assert consequences_of([revoked], OLD, catalogue(), policy()).requests == 0


def test_counts_callers_once_and_shows_a_few():
    rows = [row(subject=f"caller {number % 9}") for number in range(20)]
    found = consequences_of(rows, OLD, catalogue(), policy())
    assert (found.requests, found.callers, len(found.examples)) == (20, 9, 5)
    assert len({example.subject for example in found.examples}) == 5
    assert found.complete


@pytest.mark.parametrize("limit", [{"max_rows": 3}, {"max_seconds": -1.0}])
def test_says_when_it_has_not_seen_all(limit):
    found = consequences_of([row() for _ in range(4)], OLD, catalogue(), policy(), **limit)
    assert not found.complete
    assert found.requests <= 3


@pytest.mark.django_db
def test_reads_the_rows_of_the_plans_of_the_last_30_days_only():
    now = timezone.now()
    Issuance.objects.bulk_create([
        *(row(subject=str(number)) for number in range(1001)),
        row(subject="other", plan="other"),
        row(subject="old", now=now - PERIOD * 1.1),
    ])  # fmt: skip
    subjects = [row.subject for row in rows_of(["team"], now)]
    assert len(subjects) == 1001
    assert not {"other", "old"} & set(subjects)
