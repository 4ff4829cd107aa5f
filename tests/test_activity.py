"""The activity log: what is written, what never is, and how people read it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User

from people.models import Action, Activity
from plans.models import Plan
from tests.test_admin_plans import PLANS, number, sent_by

pytestmark = pytest.mark.django_db

LIST = "/admin/people/activity/"
PASSWORD = "a password of alice's"


def actions():
    return [row.action for row in Activity.objects.order_by("id")]


def log_in(client, name="alice", password=PASSWORD):
    return client.post("/admin/login/", {"username": name, "password": password})


@pytest.fixture
def alice():
    return User.objects.create_superuser("alice", password=PASSWORD)


def test_coming_and_going_is_recorded_with_address_and_request(client, alice):
    response = log_in(client)
    row = Activity.objects.get(action=Action.LOGGED_IN)
    assert (row.actor, row.address) == ("alice", "127.0.0.1")
    assert row.request_id == response["X-Request-ID"]
    client.post("/admin/logout/")
    assert actions() == ["logged_in", "logged_out"]


def test_logging_out_needs_a_post(client, alice):
    log_in(client)
    assert client.get("/admin/logout/").status_code == 405
    assert client.get("/admin/").status_code == 200


def test_a_failed_login_shows_a_printable_short_name_and_no_password(client):
    log_in(client, "eve\x1b[2J" + "x" * 300, "the secret of eve")
    row = Activity.objects.get()
    assert row.action == Action.LOGIN_FAILED
    assert row.actor.isprintable()
    assert len(row.actor) <= 150
    assert "secret" not in str(Activity.objects.values())


def test_an_attacker_does_not_fill_the_table(client):
    for _ in range(12):
        log_in(client, "eve", "wrong")
    assert actions().count("login_failed") == 5


def test_changes_of_people_are_recorded_one_by_one_and_in_bulk(admin_client):
    admin_client.post("/admin/auth/group/add/", {"name": "night shift"})
    users = [User.objects.create_user(name).pk for name in ("bob", "carol")]
    form = {"action": "delete_selected", "_selected_action": users, "post": "yes"}
    admin_client.post("/admin/auth/user/", form)
    assert not User.objects.filter(pk__in=users).exists()
    assert actions() == ["logged_in", "group_changed", "user_changed", "user_changed"]
    assert {row.object for row in Activity.objects.filter(action="user_changed")} == {
        "user bob",
        "user carol",
    }


def test_changing_ones_password_is_recorded_without_it(client, alice):
    client.force_login(alice)
    new = "quite another one of hers"
    form = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/admin/password_change/", form).status_code == 302
    assert actions() == ["logged_in", "password_changed"]
    assert new not in str(Activity.objects.values())


@pytest.mark.usefixtures("catalogue")
def test_a_change_of_the_catalogue_is_one_row_with_its_revision_and_reason(admin_client):
    plan = Plan.objects.earliest("pk")
    page = f"{PLANS}{plan.pk}/delete/"
    response = admin_client.post(page, sent_by(admin_client.get(page), typed=plan.name))
    row = Activity.objects.get(action=Action.CATALOGUE_CHANGED)
    assert (row.actor, row.object, row.detail) == ("admin", f"revision {number()}", "a test")
    assert (row.address, row.request_id) == ("127.0.0.1", response["X-Request-ID"])


@pytest.mark.usefixtures("catalogue")
def test_a_change_that_is_only_asked_about_leaves_no_row(admin_client):
    plan = Plan.objects.earliest("pk")
    selected = {"action": "delete_plans", "_selected_action": [plan.pk]}
    assert admin_client.post(PLANS, selected).status_code == 200
    assert actions() == ["logged_in"]


@pytest.mark.usefixtures("catalogue")
def test_every_page_that_changes_the_catalogue_is_recorded(admin_client):
    licences, before = "/admin/licences/revokedlicence/", number()
    many = {"text": "LIC-1\nLIC-2", "reason": "stolen"}
    seen = admin_client.post(f"{licences}revoke-many/", many).context["seen"]
    admin_client.post(f"{licences}revoke-many/", many | {"apply": "Yes", "seen": seen})
    admin_client.post(f"{licences}add/", {"licence": "LIC-3", "reason": "stolen too"})
    found = Activity.objects.filter(action=Action.CATALOGUE_CHANGED).order_by("id")
    assert [(row.object, row.detail) for row in found] == [
        (f"revision {before + 1}", "stolen"),
        (f"revision {before + 2}", "stolen too"),
    ]


def test_a_command_leaves_no_row(catalogue):
    assert not Activity.objects.exists()


def test_rows_are_only_added(client):
    log_in(client)
    row = Activity.objects.get()
    with pytest.raises(TypeError):
        row.save()
    with pytest.raises(TypeError):
        row.delete()


@pytest.mark.parametrize("path", ["add/", "{pk}/change/", "{pk}/delete/"])
def test_nobody_changes_the_log_in_the_browser(client, admin_client, path):
    log_in(client, "eve")
    pk = Activity.objects.get(actor="eve").pk
    assert admin_client.post(LIST + path.format(pk=pk), {"post": "yes"}).status_code == 403
    assert Activity.objects.filter(pk=pk).exists()


@pytest.mark.parametrize(
    ("query", "found"),
    [("q=eve", True), ("q=127.0.0.1", True), ("q=ev", False), ("action=login_failed", True)],
)
def test_searches_the_log(admin_client, client, query, found):
    log_in(client, "eve")
    query = query.replace("action=", "action__exact=")
    response = admin_client.get(f"{LIST}?{query}")
    assert response.status_code == 200
    assert any(row.actor == "eve" for row in response.context["cl"].result_list) == found


def test_a_group_is_shown_as_what_it_is(admin_client):
    group = Group.objects.create(name="night shift")
    admin_client.post(f"/admin/auth/group/{group.pk}/change/", {"name": "day shift"})
    assert Activity.objects.get(action=Action.GROUP_CHANGED).object == "group day shift"


def test_saving_the_catalogue_file_is_recorded(admin_client):
    assert admin_client.head("/admin/catalogue/export/").status_code == 200
    assert not Activity.objects.filter(action=Action.EXPORTED).exists()
    assert admin_client.get("/admin/catalogue/export/").status_code == 200
    assert Activity.objects.get(action=Action.EXPORTED).object == "catalogue-0.yaml"
