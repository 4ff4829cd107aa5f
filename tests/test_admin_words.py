"""What the lists and forms say to somebody who sees them for the first time."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User

from licences.models import RevokedLicence
from plans.models import CatalogueRevision, Plan
from tests.test_admin_plans import PLANS, form

pytestmark = pytest.mark.django_db

LICENCES = "/admin/licences/revokedlicence/"


def html(response):
    assert response.status_code == 200
    return response.content.decode()


def test_an_empty_list_says_so(admin_client):
    shown = html(admin_client.get(PLANS))
    assert "<h1>Plans</h1>" in shown
    assert "There is nothing here yet." in shown


def test_a_search_in_vain_leads_back_to_all(admin_client):
    RevokedLicence.objects.create(licence="LIC-1", reason="a")
    shown = html(admin_client.get(LICENCES, {"q": "LIC-2"}))
    assert 'Nothing is found. <a href="?">Show all</a>' in shown
    assert "LIC-1" in html(admin_client.get(LICENCES, {"q": "lic-1"}))


def test_times_are_written_as_in_the_log(admin_client):
    newest = CatalogueRevision.objects.latest("number")
    shown = html(admin_client.get("/admin/plans/cataloguerevision/"))
    assert f"{newest.created_at:%Y-%m-%d %H:%M:%S} UTC" in shown


@pytest.mark.parametrize(
    ("page", "example"),
    [
        (f"{PLANS}add/", "such as enterprise"),
        (f"{PLANS}add/", "acme/* is one level below acme"),
        (f"{LICENCES}add/", "such as LIC-0042"),
        (f"{LICENCES}revoke-many/", "LIC-0043,chargeback,2027-01-31"),
        ("/admin/catalogue/", "- name: enterprise"),
    ],
)
def test_a_form_shows_an_example(admin_client, page, example):
    assert example in html(admin_client.get(page))


def test_history_has_no_history_of_its_own(admin_client):
    Plan.objects.create(name="team")
    number = CatalogueRevision.objects.latest("number").number
    shown = html(admin_client.get(f"/admin/plans/cataloguerevision/{number}/change/"))
    assert "historylink" not in shown
    assert "historylink" in html(admin_client.get(f"{PLANS}{Plan.objects.get().pk}/change/"))


def test_who_is_added_may_log_in_and_has_a_job(admin_client):
    page = "/admin/auth/user/add/"
    assert admin_client.get(page).context["adminform"].form["is_staff"].value() is True
    password = "correct horse battery staple"
    viewer = Group.objects.get(name="viewer")
    typed = {
        "username": "bob",
        "usable_password": "true",
        "password1": password,
        "password2": password,
        "is_staff": "on",
        "groups": [viewer.pk],
    }
    assert admin_client.post(page, typed).status_code == 302
    bob = User.objects.get(username="bob")
    assert (bob.is_staff, bob.is_superuser, list(bob.groups.all())) == (True, False, [viewer])
    assert html(admin_client.get(f"/admin/auth/user/{bob.pk}/change/")).count("<details") == 1


def test_who_is_added_gets_no_more_than_who_adds_them_may(client):
    helpdesk = User.objects.create_user("helpdesk", is_staff=True)
    helpdesk.user_permissions.set(Permission.objects.filter(content_type__model="user"))
    client.force_login(helpdesk)
    password = "correct horse battery staple"
    typed = {"username": "bob", "usable_password": "true", "is_staff": "on"}
    typed |= {"password1": password, "password2": password}
    editors = Group.objects.get(name="catalogue editor")
    refused = client.post("/admin/auth/user/add/", typed | {"groups": [editors.pk]})
    assert "groups" in refused.context["adminform"].form.errors
    assert client.post("/admin/auth/user/add/", typed).status_code == 302
    assert not User.objects.get(username="bob").groups.exists()


def test_a_rule_without_actions_is_told_so_once(admin_client):
    rule = {"pattern": "team/**", "effect": "allow", "type": "repository", "services": ""}
    sent = form(rule)
    sent.pop("rules-0-actions", None)
    shown = html(admin_client.post(f"{PLANS}add/", sent))
    assert "tick one or more" in shown
    assert "must be a list of one or more" not in shown
