"""What the catalogue was: each revision keeps it, and decisions can be made by it again."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from issuances.models import Issuance
from licences.models import RevokedLicence
from plans.catalogue import Revision, catalogue_of, catalogue_of_snapshot, newest_revision
from plans.models import CatalogueRevision, Plan
from plans.revisions import catalogue_change
from plans.snapshots import snapshot_as_of, take_snapshot
from registry_token.entitlement import Facts
from registry_token.exchange import policy
from registry_token.replay import access_of, asked_in, decide_again

pytestmark = pytest.mark.django_db

PULL = "repository:stella-ops/public/app:pull"
PUSH = "repository:stella-ops/public/app:push"


def newest():
    return CatalogueRevision.objects.latest("number")


def test_a_revision_keeps_all_plans(catalogue):
    assert [plan["name"] for plan in newest().snapshot] == ["community", "enterprise"]
    assert newest().snapshot == take_snapshot()
    assert newest().changes[0] == "added plan community"


def test_a_change_of_licences_leaves_the_plans_as_they_were(catalogue):
    before = newest().number
    RevokedLicence.objects.create(licence="LIC-1")
    assert newest().snapshot is None
    assert newest().changes == ["added revoked licence LIC-1"]
    assert snapshot_as_of(newest().number) == snapshot_as_of(before) == take_snapshot()


def test_earlier_plans_are_found_by_number(catalogue):
    number, before = newest().number, take_snapshot()
    with catalogue_change(actor="alice", source="test"):
        Plan.objects.get(name="community").delete()
    assert snapshot_as_of(number) == before
    assert [plan["name"] for plan in snapshot_as_of(number + 1) or ()] == ["enterprise"]


def test_what_an_older_version_has_done_meanwhile_is_not_known(catalogue):
    kept = newest().number
    CatalogueRevision.objects.create(number=kept + 1, actor="alice", source="admin", reason="x")
    RevokedLicence.objects.create(licence="LIC-1")
    assert snapshot_as_of(kept) == take_snapshot()
    assert snapshot_as_of(kept + 1) is snapshot_as_of(kept + 2) is None
    Plan.objects.get(name="community").save()
    assert newest().effect is None
    assert snapshot_as_of(kept + 3) == take_snapshot()


def test_a_snapshot_compiles_to_the_same_catalogue(catalogue):
    Plan.objects.filter(name="community").update(enabled=False)
    compiled = catalogue_of_snapshot(take_snapshot(), newest_revision())
    Plan.objects.get(name="enterprise").save()  # a new revision, so that it is read anew
    assert compiled.plans == catalogue_of(newest_revision()).plans
    assert list(compiled.plans) == ["enterprise"]


def test_the_migration_keeps_what_is_there(catalogue):
    from importlib import import_module

    from django.apps import apps

    before = newest().snapshot
    CatalogueRevision.objects.update(snapshot=None)
    import_module("plans.migrations.0003_snapshots").keep_what_is_there(apps, None)
    assert newest().snapshot == before


@pytest.mark.parametrize("scope", [PULL, PUSH])
@pytest.mark.parametrize("claims", [("community", "LIC-1"), ("enterprise",), ("nothing",), (None,)])
def test_a_row_is_decided_again_as_it_was(catalogue, authority, get_token, scope, claims):
    get_token(authority.token(*claims), scope, "nonsense", "repository:a/b:pull,push")
    row = Issuance.objects.get()
    facts = Facts(catalogue_of(newest_revision()), licence_revoked=False)
    decision = decide_again(row, facts, policy())
    assert (decision.refusal.code if decision.refusal else "") == row.refusal
    assert decision.granted == access_of(row.granted)


def test_a_row_refused_for_its_scopes_stays_refused(catalogue, authority, get_token):
    get_token(authority.token("community", scope="other"), PULL)
    row = Issuance.objects.get()
    assert row.refusal == "insufficient_scope"
    assert asked_in(row).caller.scopes == frozenset()


def test_an_earlier_catalogue_decides_differently(authority, get_token, tmp_path):
    before = take_snapshot()
    file = tmp_path / "catalogue.yaml"
    file.write_text("plans: [{name: a, rules: [{repositories: x, actions: [pull]}]}]")
    call_command("load_catalogue", file, stdout=StringIO())
    get_token(authority.token("a"), "repository:x:pull")
    row = Issuance.objects.get()
    then = Facts(catalogue_of_snapshot(before, Revision(0, "")), licence_revoked=False)
    now = Facts(catalogue_of_snapshot(take_snapshot(), newest_revision()), licence_revoked=False)
    refusal = decide_again(row, then, policy()).refusal
    assert refusal is not None
    assert refusal.code == "plan_unknown"
    assert decide_again(row, now, policy()).refusal is None
