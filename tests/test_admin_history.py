"""The catalogue's history in the browser: differences, comparing, downloading, restoring."""

from __future__ import annotations

import pytest
from django.test import Client

from issuances.models import Issuance
from licences.models import RevokedLicence
from plans.models import CatalogueRevision, Plan, PlanRule
from plans.revisions import catalogue_change
from plans.snapshots import take_snapshot
from registry_token.catalogue_file import read_catalogue_text

pytestmark = pytest.mark.usefixtures("catalogue")

HISTORY = "/admin/plans/cataloguerevision/"


@pytest.fixture
def narrowed():
    """Revision 2: community may no longer pull. Revision 3: a licence is revoked."""
    with catalogue_change(actor="alice", source="test", reason="contract <b>ended</b>"):
        Plan.objects.get(name="community").rules.all().delete()
    with catalogue_change(actor="alice", source="test", reason="fraud"):
        RevokedLicence.objects.create(licence="LIC-9")


def newest():
    return CatalogueRevision.objects.latest("number")


def page(client, path, status=200):
    response = client.get(path)
    assert response.status_code == status
    return response.content.decode()


def test_a_revision_notes_its_effect(narrowed):
    effects = CatalogueRevision.objects.order_by("number").values_list("effect", flat=True)
    assert list(effects)[1:] == ["widened", "narrowed", None]


def test_the_list_shows_the_effect_and_reads_no_snapshot(
    admin_client, narrowed, django_assert_max_num_queries
):
    with django_assert_max_num_queries(8) as queries:
        shown = page(admin_client, HISTORY)
    assert '<span class="badge bad">widened</span>' in shown
    assert '<span class="badge partly">narrowed</span>' in shown
    assert "&lt;b&gt;ended" in shown
    assert not any("snapshot" in query["sql"] for query in queries.captured_queries)


def test_a_revision_shows_what_it_changed(admin_client, narrowed):
    shown = page(admin_client, f"{HISTORY}2/change/")
    assert "allow pull on stella-ops/public/**" in shown
    assert "Plan community: changed" in shown
    assert '<span class="badge partly">narrowed</span>' in shown
    assert "enterprise" not in shown


def test_a_revision_of_licences_shows_them(admin_client, narrowed):
    shown = page(admin_client, f"{HISTORY}3/change/")
    assert "added revoked licence LIC-9" in shown
    assert "The plans are the same." in shown


def test_a_revision_without_its_plans_says_so(admin_client):
    CatalogueRevision.objects.update(snapshot=None, effect=None)
    shown = page(admin_client, f"{HISTORY}1/change/")
    assert "was not kept" in shown
    assert "catalogue.yaml" not in shown
    for path in ("1/catalogue.yaml", "1/restore/"):
        assert admin_client.get(f"{HISTORY}{path}").status_code == 404
    assert "was not kept" in page(admin_client, f"{HISTORY}diff/?from=0&to=1")


def test_compares_any_two_revisions(admin_client, narrowed):
    forth = page(admin_client, f"{HISTORY}diff/?from=1&to=3")
    assert "Rule removed:" in forth
    assert "narrowed" in forth
    back = page(admin_client, f"{HISTORY}diff/?from=3&to=1")
    assert "Rule added:" in back
    assert "widened" in back


@pytest.mark.parametrize("number", ["9", "-1", "x", "<b>", "", "9" * 30, "\u0663"])
def test_comparing_with_a_number_that_is_none_is_explained(admin_client, number):
    shown = page(admin_client, f"{HISTORY}diff/?from={number}&to=1")
    assert "There is no revision" in shown if number else "Type the numbers" in shown
    assert "<b>" not in shown


def test_the_plans_of_a_revision_are_a_catalogue_file(admin_client, narrowed):
    response = admin_client.get(f"{HISTORY}1/catalogue.yaml")
    assert response["Content-Disposition"] == 'attachment; filename="catalogue-revision-1.yaml"'
    file, errors = read_catalogue_text(response.content.decode())
    assert errors == []
    assert [(plan.name, len(rules)) for plan, rules in file.plans] == [
        ("community", 1),
        ("enterprise", 4),
    ]


def test_no_revision_is_not_found(admin_client):
    for path in ("9/catalogue.yaml", "9/restore/"):
        assert admin_client.get(f"{HISTORY}{path}").status_code == 404


def restore_form(client, number, **typed):
    response = client.get(f"{HISTORY}{number}/restore/")
    return {"seen": response.context["form"]["seen"].value(), "reason": "sold again", **typed}


def test_restores_the_plans_and_leaves_licences(admin_client, narrowed, authority, get_token):
    before = CatalogueRevision.objects.get(number=1).snapshot
    token, scope = authority.token("community"), "repository:stella-ops/public/app:pull"
    assert get_token(token, scope).status_code == 403
    assert "Rule added:" in page(admin_client, f"{HISTORY}1/restore/")
    form = restore_form(admin_client, 1)
    response = admin_client.post(f"{HISTORY}1/restore/", form)
    assert response["Location"] == f"{HISTORY}4/change/"
    assert take_snapshot() == newest().snapshot == before
    assert (newest().actor, newest().source) == ("admin", "admin")
    assert newest().reason == "restored revision 1: sold again"
    assert newest().effect == "widened"
    assert RevokedLicence.objects.filter(licence="LIC-9").exists()
    assert get_token(token, scope).status_code == 200


def test_restoring_needs_a_reason(admin_client, narrowed):
    form = restore_form(admin_client, 1, reason=" ")
    response = admin_client.post(f"{HISTORY}1/restore/", form)
    assert "Say why, as in:" in response.content.decode()
    assert newest().number == 3


def test_restoring_is_looked_at_again_when_the_catalogue_has_changed(admin_client, narrowed):
    form = restore_form(admin_client, 1)
    Plan.objects.create(name="new")
    response = admin_client.post(f"{HISTORY}1/restore/", form)
    shown = response.content.decode()
    assert "Somebody changed the catalogue meanwhile" in shown
    assert "Plan new: removed" in shown
    assert "sold again" in shown
    assert newest().number == 4
    form |= {"seen": response.context["form"]["seen"].value(), "agreed": "on", "typed": "new"}
    assert admin_client.post(f"{HISTORY}1/restore/", form).status_code == 302
    assert not Plan.objects.filter(name="new").exists()


def test_what_is_as_it_was_needs_no_restoring(admin_client):
    shown = page(admin_client, f"{HISTORY}1/restore/")
    assert "There is nothing to restore" in shown
    assert 'name="reason"' not in shown


def test_a_revision_that_is_no_longer_valid_is_not_restored(admin_client, narrowed):
    PlanRule.objects.filter(plan__name="enterprise").update(pattern="NOT//VALID")
    Plan.objects.get(name="enterprise").save()
    Plan.objects.get(name="enterprise").delete()
    number = CatalogueRevision.objects.filter(changes=["changed plan enterprise"]).get().number
    form = restore_form(admin_client, number)
    before = newest().number
    response = admin_client.post(f"{HISTORY}{number}/restore/", form)
    assert "plans[1].rules[0].repositories" in response.content.decode()
    assert newest().number == before


EDIT = ("add_plan", "change_plan", "delete_plan")


@pytest.mark.parametrize("missing", [*EDIT, "view_cataloguerevision"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_restoring_needs_each_permission(client_with, narrowed, missing, method):
    client = client_with(*({*EDIT, "view_cataloguerevision"} - {missing}))
    response = getattr(client, method)(f"{HISTORY}1/restore/", {"reason": "a"})
    assert response.status_code == 403
    assert newest().number == 3


def test_viewers_see_history_but_no_restoring(client_with, narrowed):
    client = client_with("view_cataloguerevision")
    assert f"{HISTORY}1/restore/" not in page(client, f"{HISTORY}1/change/")
    page(client, f"{HISTORY}diff/?from=1&to=2")
    page(client, f"{HISTORY}1/catalogue.yaml")


@pytest.mark.parametrize("path", ["diff/", "1/catalogue.yaml", "1/restore/", "1/change/"])
def test_history_is_for_those_who_may_view_it(client_with, path):
    assert client_with("view_plan").get(f"{HISTORY}{path}").status_code == 403


@pytest.mark.parametrize("path", ["diff/", "1/catalogue.yaml"])
def test_what_only_shows_takes_no_post(admin_client, path):
    assert admin_client.post(f"{HISTORY}{path}").status_code == 405


def test_restoring_needs_its_csrf_token(narrowed, admin_user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    form = restore_form(client, 1)
    assert client.post(f"{HISTORY}1/restore/", form).status_code == 403


def test_a_row_of_the_log_leads_to_the_revision_that_decided(admin_client, authority, get_token):
    get_token(authority.token("community"), "repository:stella-ops/public/app:pull")
    shown = page(admin_client, f"/admin/issuances/issuance/{Issuance.objects.get().pk}/change/")
    assert f'<a href="{HISTORY}1/change/">revision 1</a>' in shown
