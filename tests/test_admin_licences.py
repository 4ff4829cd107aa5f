"""Revoked licences in the admin: one entry whatever the spelling, at once in effect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission

from issuances.models import Issuance
from licences.models import LicenceEvent, RevokedLicence
from plans.models import CatalogueRevision, Plan, PlanRule

pytestmark = pytest.mark.django_db

LICENCES = "/admin/licences/revokedlicence/"


def newest():
    return CatalogueRevision.objects.latest("number")


def test_revokes_and_reinstates_a_licence(admin_client, authority, get_token):
    plan = Plan.objects.create(name="team")
    PlanRule.objects.create(plan=plan, pattern="team/**", actions=["pull"])
    token, scope = authority.token("team", "LIC-1"), "repository:team/app:pull"
    assert get_token(token, scope).status_code == 200
    before = newest().number
    data = {"licence": " lic-1 ", "reason": "the secret reason"}
    assert admin_client.post(f"{LICENCES}add/", data).status_code == 302
    refused = get_token(token, scope)
    assert refused.status_code == 403
    assert b"licence LIC-1 is revoked" in refused.content
    assert b"secret reason" not in refused.content
    revoked = RevokedLicence.objects.get()
    assert revoked.licence == "lic-1"
    admin_client.post(f"{LICENCES}{revoked.pk}/delete/", {"post": "yes", "reason": "paid"})
    assert get_token(token, scope).status_code == 200
    assert (newest().number, newest().source) == (before + 2, "admin")


@pytest.mark.parametrize(
    ("licence", "message"),
    [
        ("lic-0007", "LIC-0007 is revoked already"),
        (" LIC-0007 ", "LIC-0007 is revoked already"),
        ("ＬＩＣ-0007", "LIC-0007 is revoked already"),
        ("", "This field is required."),
        ("LIC\u200b-1", "must be a licence id"),
        ("\ufdfa" * 100, ""),
    ],
    ids=["case", "blanks", "width", "empty", "unprintable", "long"],
)
def test_says_what_is_wrong_with_a_licence(admin_client, licence, message):
    RevokedLicence.objects.create(licence="LIC-0007")
    response = admin_client.post(f"{LICENCES}add/", {"licence": licence, "reason": "fraud"})
    assert response.status_code == 200
    errors = response.context["adminform"].form.errors
    assert list(errors) == ["licence"]
    assert message in errors["licence"][0]
    assert newest().number == 1


def test_a_licence_saved_again_is_no_duplicate_of_itself(admin_client):
    revoked = RevokedLicence.objects.create(licence="LIC-0007")
    data = {"licence": "lic-0007", "reason": "fraud"}
    assert admin_client.post(f"{LICENCES}{revoked.pk}/change/", data).status_code == 302
    assert RevokedLicence.objects.get().reason == "fraud"
    assert admin_client.post(f"{LICENCES}{revoked.pk}/change/", data).status_code == 302
    assert newest().number == 2


def post(client, path, **fields):
    return client.post(f"{LICENCES}{path}", fields)


def shown(client, query=""):
    response = client.get(f"{LICENCES}{query}")
    assert response.status_code == 200
    return {revoked.licence for revoked in response.context["cl"].result_list}


def test_revoking_needs_a_reason_which_is_the_revision_s_too(admin_client):
    errors = post(admin_client, "add/", licence="LIC-1").context["adminform"].form.errors
    assert list(errors) == ["reason"]
    assert post(admin_client, "add/", licence="LIC-1", reason="fraud").status_code == 302
    assert (newest().actor, newest().reason) == ("admin", "fraud")
    assert RevokedLicence.objects.get().revoked_by == "admin"


def test_a_revocation_can_have_an_end_in_the_future_only(admin_client):
    end = {"until_0": "2020-01-31", "until_1": "12:00:00"}
    answer = post(admin_client, "add/", licence="LIC-1", reason="fraud", **end)
    assert list(answer.context["adminform"].form.errors) == ["until"]
    end["until_0"] = "2090-01-31"
    assert post(admin_client, "add/", licence="LIC-1", reason="f", **end).status_code == 302
    assert f"{RevokedLicence.objects.get().until:%Y-%m-%d %H}" == "2090-01-31 12"


def test_the_reason_and_the_end_can_be_changed_and_the_licence_cannot(admin_client):
    revoked = RevokedLicence.objects.create(licence="LIC-1", reason="fraud")
    answer = post(admin_client, f"{revoked.pk}/change/", licence="LIC-2", reason="chargeback")
    assert answer.status_code == 302
    revoked.refresh_from_db()
    assert (revoked.licence, revoked.reason) == ("LIC-1", "chargeback")
    assert newest().reason == "chargeback"


@pytest.mark.parametrize(
    ("query", "licences"),
    [
        ("?q=lic-00", {"LIC-0001", "LIC-0002"}),
        ("?q=ＬＩＣ-0002", {"LIC-0002"}),
        ("?q=chargeback", {"Other"}),
        ("?q=0001", set()),
        ("?state=ended", {"Other"}),
        ("?state=in-effect", {"LIC-0001", "LIC-0002"}),
    ],
)
def test_finds_licences(admin_client, query, licences):
    RevokedLicence.objects.create(licence="LIC-0001")
    RevokedLicence.objects.create(licence="LIC-0002")
    ended = datetime.now(UTC) - timedelta(days=1)
    RevokedLicence.objects.create(licence="Other", reason="a chargeback", until=ended)
    assert shown(admin_client, query) == licences


def test_reinstating_asks_why(admin_client):
    revoked = RevokedLicence.objects.create(licence="LIC-1<b>")
    page = f"{revoked.pk}/delete/"
    asked = admin_client.get(f"{LICENCES}{page}")
    assert b"LIC-1&lt;b&gt;" in asked.content
    assert post(admin_client, page, post="yes").context["form"].errors
    assert RevokedLicence.objects.exists()
    assert post(admin_client, page, post="yes", reason="paid").status_code == 302
    assert not RevokedLicence.objects.exists()
    event = LicenceEvent.objects.latest("id")
    assert (event.what, event.actor, event.reason) == ("reinstated", "admin", "paid")
    assert (newest().actor, newest().reason) == ("admin", "paid")
    assert event.revision == newest().number
    assert admin_client.get(f"{LICENCES}{page}").status_code == 404


def test_reinstates_the_selected_in_one_revision(admin_client):
    rows = [RevokedLicence.objects.create(licence=f"LIC-{number}") for number in range(3)]
    before = newest().number
    chosen = {"action": "reinstate", "_selected_action": [rows[0].pk, rows[1].pk]}
    assert b"LIC-0" in admin_client.post(LICENCES, chosen).content
    assert RevokedLicence.objects.count() == 3
    chosen |= {"confirmed": "yes", "reason": "paid"}
    assert admin_client.post(LICENCES, chosen).status_code == 302
    assert shown(admin_client) == {"LIC-2"}
    assert newest().number == before + 1
    assert newest().reason == "paid"
    assert LicenceEvent.objects.filter(what="reinstated", reason="paid").count() == 2


def test_nothing_is_deleted_without_a_reason(admin_client):
    revoked = RevokedLicence.objects.create(licence="LIC-1")
    form = {"action": "delete_selected", "_selected_action": [revoked.pk], "post": "yes"}
    admin_client.post(LICENCES, form)
    assert RevokedLicence.objects.exists()


def test_a_licence_s_page_shows_its_history(admin_client):
    RevokedLicence.objects.create(licence="lic-1", reason="the first time").delete()
    revoked = RevokedLicence.objects.create(licence="LIC-1", reason="again")
    page = admin_client.get(f"{LICENCES}{revoked.pk}/change/").content.decode()
    assert "the first time" in page
    assert "reinstated" in page
    assert f"{LICENCES}{revoked.pk}/delete/" in page


def test_events_are_found_by_licence_and_only_read(admin_client):
    RevokedLicence.objects.create(licence="LIC-1")
    RevokedLicence.objects.create(licence="Other")
    path = "/admin/licences/licenceevent/"
    found = admin_client.get(f"{path}?q=Lic-").context["cl"].result_list
    assert [event.licence for event in found] == ["LIC-1"]
    pk = found[0].pk
    assert admin_client.get(f"{path}{pk}/change/").status_code == 200
    for change in ("add/", f"{pk}/change/", f"{pk}/delete/"):
        assert admin_client.post(f"{path}{change}", {"post": "yes"}).status_code == 403
    assert LicenceEvent.objects.count() == 2


def test_who_may_see_the_deny_list_finds_what_happened_to_a_reinstated_licence(client_with):
    RevokedLicence.objects.create(licence="LIC-1", reason="the first time").delete()
    client = client_with("view_revokedlicence")
    path = "/admin/licences/licenceevent/"
    assert path in client.get(LICENCES).content.decode()
    assert "the first time" in client.get(f"{path}?q=lic-1").content.decode()


def test_revoking_says_who_used_the_licence_and_when_the_last_token_ends(
    admin_client, authority, get_token, catalogue
):
    scope = "repository:stella-ops/public/app:pull"
    for subject, licence in (("a", "Lic-9"), ("a", "LIC-9"), ("b", "lic-9"), ("c", "LIC-8")):
        assert (
            get_token(authority.token("enterprise", licence, sub=subject), scope).status_code == 200
        )
    answer = admin_client.post(
        f"{LICENCES}add/", {"licence": "Lic-9", "reason": "fraud"}, follow=True
    )
    said = " ".join(map(str, answer.context["messages"]))
    last = Issuance.objects.exclude(licence="LIC-8").latest("expires_at").expires_at
    assert last is not None
    assert "3 requests by 2 callers" in said
    assert f"{last + timedelta(seconds=60):%Y-%m-%d %H:%M:%S} UTC" in said


def test_revoking_an_unused_licence_says_so(admin_client):
    answer = admin_client.post(
        f"{LICENCES}add/", {"licence": "LIC-9", "reason": "fraud"}, follow=True
    )
    said = " ".join(map(str, answer.context["messages"]))
    assert "0 requests by 0 callers. No token issued before is alive." in said


@pytest.mark.parametrize("permission", ["view", "add", "change", "delete"])
def test_each_change_needs_its_permission(client, django_user_model, permission):
    bob = django_user_model.objects.create_user("bob", password="b", is_staff=True)
    may = [f"{permission}_revokedlicence", "view_revokedlicence"]
    bob.user_permissions.set(Permission.objects.filter(codename__in=may))
    client.force_login(bob)
    revoked = RevokedLicence.objects.create(licence="LIC-1")
    needed = {
        f"{revoked.pk}/delete/": "delete",
        "reinstate-many/": "delete",
        "revoke-many/": "add",
        "add/": "add",
    }
    for path, need in needed.items():
        expected = 200 if permission == need else 403
        assert client.get(f"{LICENCES}{path}").status_code == expected, path
        assert client.post(f"{LICENCES}{path}", {"x": "y"}).status_code == expected, path
    chosen = {"action": "reinstate", "_selected_action": [revoked.pk], "confirmed": "yes"}
    client.post(LICENCES, chosen | {"reason": "paid"})
    assert RevokedLicence.objects.exists() is (permission != "delete")
