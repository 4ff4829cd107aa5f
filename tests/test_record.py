"""The row confirms the facts: whatever a worker has in memory, the database's word counts."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext

from issuances.identifiers import uuid7
from issuances.models import Issuance
from licences.models import RevokedLicence, normalised
from plans.models import Plan, PlanRule
from registry_token import database, record
from registry_token.logs import encoded
from registry_token.record import Row

PULL = "repository:stella-ops/public/app:pull"
PRIVATE = "repository:stella-ops/private/app:push"

pytestmark = pytest.mark.usefixtures("catalogue")


def row(**changes) -> Row:
    now = datetime.now(UTC)
    id = uuid7(now)
    blank = Row(id, now, "r", "s", "", "", "p", "", "x", [], [], id, now, "", 1, "", "", "")
    return blank._replace(**changes)


def pending(row: Row, fingerprint: str, licence_key: str = "", revoked: bool = False):
    until = database.deadline()
    return record._Pending(row, encoded(row._asdict()), fingerprint, licence_key, revoked, until)


def test_a_row_has_the_fields_of_the_table():
    assert Row._fields == tuple(field.attname for field in Issuance._meta.concrete_fields)


def test_a_changed_rule_counts_at_once_though_the_old_one_is_in_memory(authority, get_token):
    token = authority.token("community")
    assert get_token(token, PRIVATE).status_code == 403
    plan = Plan.objects.get(name="community")
    rule = PlanRule.objects.create(plan=plan, pattern="stella-ops/private/*", actions=["push"])
    assert get_token(token, PRIVATE).status_code == 200
    rule.delete()
    assert get_token(token, PRIVATE).status_code == 403
    outcomes = Issuance.objects.order_by("id").values_list("refusal", "catalogue_revision")
    (first, old), (second, newer), (third, newest) = outcomes
    assert (first, second, third) == ("nothing_granted", "", "nothing_granted")
    assert old < newer < newest


@pytest.mark.parametrize("how", ["in the admin's way", "past the signals"])
def test_a_revoked_licence_counts_at_once(authority, get_token, how):
    token = authority.token("enterprise", "LIC-9")
    assert get_token(token, PULL).status_code == 200
    revoked = RevokedLicence(licence="lic-9", key=normalised("lic-9"))
    if how == "past the signals":  # no revision of the catalogue tells of it
        RevokedLicence.objects.bulk_create([revoked])
    else:
        revoked.save()
    assert get_token(token, PULL).json()["errors"][0]["detail"]["reason"] == "licence_revoked"
    RevokedLicence.objects.all().delete()
    assert get_token(token, PULL).status_code == 200
    assert list(Issuance.objects.order_by("id").values_list("refusal", flat=True)) == [
        "",
        "licence_revoked",
        "",
    ]


@pytest.mark.parametrize("rules", [1, 300])
def test_a_token_costs_one_round_trip_whatever_the_number_of_rules(authority, get_token, rules):
    plan = Plan.objects.get(name="community")
    for number in range(rules):
        PlanRule.objects.create(plan=plan, pattern=f"more/r{number}", actions=["pull"])
    token = authority.token("community")
    assert get_token(token, PULL).status_code == 200  # compiles the catalogue
    for scope, status in ((PULL, 200), ("repository:x:push", 403)):
        with CaptureQueriesContext(connection) as queries:
            assert get_token(token, scope).status_code == status
        assert len(queries) == 1, queries.captured_queries


def test_rows_of_a_group_are_each_judged_by_their_own_facts(authority, get_token):
    facts = record.read_facts(None)
    fingerprint = facts.catalogue.revision.fingerprint
    RevokedLicence.objects.bulk_create([RevokedLicence(licence="L", key="l")])
    fine = pending(row(subject="fine"), fingerprint, "", False)
    stale = pending(row(subject="stale"), "0" * 32, "", False)
    revoked = pending(row(subject="revoked"), fingerprint, "l", False)
    known_to_be = pending(row(subject="known"), fingerprint, "l", True)
    group = [fine, stale, revoked, known_to_be]
    assert record._commit_all(group) == [True, False, False, True]
    assert set(Issuance.objects.values_list("subject", flat=True)) == {"fine", "known"}


@pytest.mark.django_db(transaction=True)
def test_a_row_that_cannot_be_stored_does_not_take_others_with_it():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite stores any text in any column")
    fingerprint = record.read_facts(None).catalogue.revision.fingerprint
    fine = pending(row(), fingerprint, "", False)
    too_long = pending(row(subject="x" * 300), fingerprint, "", False)
    first, second, third = record._commit_all([fine, too_long, pending(row(), fingerprint)])
    assert (first, third) == (True, True)
    assert isinstance(second, DataError)
    assert Issuance.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_row_that_was_committed_before_the_connection_was_lost_is_not_written_twice():
    fingerprint = record.read_facts(None).catalogue.revision.fingerprint
    twice = [pending(row(), fingerprint)] * 2
    assert record._one_by_one(twice) == [True, True]
    assert Issuance.objects.count() == 1
