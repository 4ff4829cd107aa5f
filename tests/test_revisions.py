"""Each change of the catalogue is one numbered row, and counts from the next request."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from django.db import DatabaseError, connection, transaction

from licences.models import RevokedLicence
from plans.models import CatalogueRevision, Plan, PlanRule
from plans.revisions import catalogue_change, process_user

pytestmark = pytest.mark.django_db


def newest():
    return CatalogueRevision.objects.latest("number")


@pytest.fixture
def plan():
    plan = Plan.objects.create(name="team")
    PlanRule.objects.create(plan=plan, pattern="team/app", actions=["pull"])
    return plan


SHELL = {
    "add a plan": lambda plan: Plan.objects.create(name="other"),
    "change a plan": lambda plan: plan.save(),
    "add a rule": lambda plan: plan.rules.create(pattern="a", actions=["pull"]),
    "change a rule": lambda plan: plan.rules.get().save(),
    "delete a rule": lambda plan: plan.rules.get().delete(),
    "delete by a query": lambda plan: plan.rules.all().delete(),
    "revoke a licence": lambda plan: RevokedLicence.objects.create(licence="LIC-1"),
    "update or create": lambda plan: RevokedLicence.objects.update_or_create(licence="LIC-1"),
}


@pytest.mark.parametrize("change", SHELL)
def test_a_change_in_a_shell_is_one_revision(plan, change):
    before = newest().number
    SHELL[change](plan)
    assert newest().number == before + 1
    assert (newest().actor, newest().source) == (process_user(), "code")
    assert newest().reason


def test_outside_of_a_change_each_object_is_a_revision_of_its_own(plan):
    plan.rules.create(pattern="other", actions=["pull"])
    before, rules = newest().number, plan.rules.count()
    plan.delete()
    assert newest().number == before + rules + 1
    assert (newest().source, newest().reason) == ("code", f"removed plan {plan}")


def test_several_changes_together_are_one_revision(plan):
    before = newest().number
    with catalogue_change(actor="alice", source="test", reason="because"):
        plan.rules.all().delete()
        plan.delete()
        RevokedLicence.objects.create(licence="LIC-1")
    assert newest().number == before + 1
    assert (newest().actor, newest().source) == ("alice", "test")
    assert newest().reason == "because"


def test_without_a_reason_it_names_what_was_touched(plan):
    with catalogue_change(actor="alice", source="test"):
        plan.save()
        RevokedLicence.objects.create(licence="LIC-1")
        plan.save()
    assert newest().reason == "changed plan team; added revoked licence LIC-1"


def test_a_change_that_touches_nothing_is_none():
    with catalogue_change(actor="alice", source="test"):
        Plan.objects.count()
    assert newest().number == 0


def test_a_change_that_is_rolled_back_is_none(plan):
    before = newest().number
    with contextlib.suppress(LookupError), catalogue_change(actor="alice", source="test"):
        plan.delete()
        raise LookupError
    with contextlib.suppress(LookupError), transaction.atomic():
        Plan.objects.create(name="other")
        raise LookupError
    assert newest().number == before
    assert [plan.name for plan in Plan.objects.all()] == ["team"]


def test_a_failed_change_leaves_nothing_behind_for_the_next(plan):
    with contextlib.suppress(LookupError), catalogue_change(actor="alice", source="test"):
        plan.save()
        raise LookupError
    with catalogue_change(actor="bob", source="test"):
        RevokedLicence.objects.create(licence="LIC-1")
    assert newest().reason == "added revoked licence LIC-1"


def test_fingerprints_tell_revisions_of_one_number_apart(plan):
    fingerprints = set(CatalogueRevision.objects.values_list("fingerprint", flat=True))
    assert len(fingerprints) == CatalogueRevision.objects.count() == 3
    assert all(len(fingerprint) == 32 for fingerprint in fingerprints)


def test_a_restored_backup_counts_though_its_number_is_the_same(plan, authority, get_token):
    """The rules change behind the service's back, the number does not."""
    token, scope = authority.token("team"), "repository:team/app:pull"
    assert get_token(token, scope).status_code == 200
    PlanRule.objects.update(pattern="team/other")
    assert get_token(token, scope).status_code == 200
    CatalogueRevision.objects.filter(number=newest().number).update(fingerprint="f" * 32)
    assert get_token(token, scope).status_code == 403


NEXT_REQUEST: dict[str, tuple[Callable[[Plan], Plan | PlanRule], dict[str, object]]] = {
    "disable": (lambda plan: plan, {"enabled": False}),
    "narrow": (lambda plan: plan.rules.get(), {"pattern": "team/other"}),
    "bind to a service": (lambda plan: plan.rules.get(), {"services": ["mirror.example.com"]}),
    "deny": (lambda plan: plan.rules.get(), {"effect": "deny"}),
    "require a licence": (lambda plan: plan, {"licence_required": True}),
}


@pytest.mark.parametrize("change", NEXT_REQUEST)
def test_a_change_counts_from_the_next_request(plan, authority, get_token, change):
    token, scope = authority.token("team"), "repository:team/app:pull"
    assert get_token(token, scope).status_code == 200
    find, members = NEXT_REQUEST[change]
    changed = find(plan)
    before = {name: getattr(changed, name) for name in members}
    for values, status in ((members, 403), (before, 200)):
        for name, value in values.items():
            setattr(changed, name, value)
        changed.save()
        assert get_token(token, scope).status_code == status


def test_deleting_counts_from_the_next_request(plan, authority, get_token):
    token, scope = authority.token("team", "LIC-1"), "repository:team/app:pull"
    assert get_token(token, scope).status_code == 200
    revoked = RevokedLicence.objects.create(licence="lic-1")
    assert get_token(token, scope).status_code == 403
    revoked.delete()
    assert get_token(token, scope).status_code == 200
    plan.rules.get().delete()
    assert get_token(token, scope).status_code == 403


def test_what_cannot_be_numbered_is_not_saved(plan):
    with connection.cursor() as cursor:  # undone with the test's transaction
        cursor.execute("ALTER TABLE plans_cataloguerevision RENAME TO plans_elsewhere")
    plan.enabled = False
    with pytest.raises(DatabaseError):
        plan.save()
    plan.refresh_from_db()
    assert plan.enabled
