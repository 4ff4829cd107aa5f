"""The admin as such: who gets in, read-only histories, protections of pages in a browser."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from issuances.models import Issuance
from plans.models import CatalogueRevision

pytestmark = pytest.mark.usefixtures("catalogue")

PULL = "repository:stella-ops/public/app:pull"
PUSH = "repository:stella-ops/public/app:push"


@pytest.fixture
def log(authority, get_token):
    """Two rows of the issuance log: Alice was granted, Bob refused."""
    get_token(authority.token("community", "LIC-1", sub="alice"), PULL)
    get_token(authority.token("community", "LIC-2", sub="bob"), PUSH)
    granted, refused = Issuance.objects.order_by("id")
    return SimpleNamespace(granted=granted, refused=refused)


def rows(response):
    """The subjects of the rows that a list shows."""
    assert response.status_code == 200
    return [issuance.subject for issuance in response.context["rows"]]


LIST = "/admin/issuances/issuance/"


def test_lists_the_issuance_log_newest_first(admin_client, log):
    response = admin_client.get(LIST)
    assert rows(response) == ["bob", "alice"]
    page = response.content.decode()
    assert "nothing_granted" in page
    assert "repository:stella-ops/public/app:push" in page


@pytest.mark.parametrize(
    ("query", "subjects"),
    [
        ("outcome=granted", ["alice"]),
        ("outcome=refused", ["bob"]),
        ("subject=alice", ["alice"]),
        ("licence=lic-2", ["bob"]),
        ("plan=community", ["bob", "alice"]),
        ("subject=ali", []),
        ("subject=alice&outcome=refused", []),
    ],
)
def test_filters_the_issuance_log(admin_client, log, query, subjects):
    assert rows(admin_client.get(f"{LIST}?{query}")) == subjects


def test_shows_a_row_in_full(admin_client, log):
    response = admin_client.get(f"{LIST}{log.granted.id}/change/")
    page = response.content.decode()
    for shown in ("alice", "LIC-1", "stella-ops/public/app", str(log.granted.jti)):
        assert shown in page
    assert 'name="_save"' not in page


@pytest.mark.parametrize("model", ["issuances/issuance", "plans/cataloguerevision"])
@pytest.mark.parametrize("action", ["add", "change", "delete", "bulk"])
def test_histories_cannot_be_changed(admin_client, log, model, action):
    before = [*Issuance.objects.values()], [*CatalogueRevision.objects.values()]
    pk = log.granted.id if model.startswith("issuances") else 1
    if action == "bulk":
        form = {"action": "delete_selected", "_selected_action": [pk], "post": "yes"}
        admin_client.post(f"/admin/{model}/", form)
    else:
        path = "add/" if action == "add" else f"{pk}/{action}/"
        response = admin_client.post(f"/admin/{model}/{path}", {"subject": "eve", "post": "yes"})
        assert response.status_code == 403
    assert ([*Issuance.objects.values()], [*CatalogueRevision.objects.values()]) == before


def test_lists_the_revisions(admin_client):
    response = admin_client.get("/admin/plans/cataloguerevision/")
    assert [revision.number for revision in response.context["cl"].result_list] == [1, 0]
    assert "load_catalogue" in response.content.decode()
    assert admin_client.get("/admin/plans/cataloguerevision/1/change/").status_code == 200


PAGES = ["/admin/", "/admin/plans/plan/", LIST, "/admin/licences/revokedlicence/add/"]


@pytest.mark.parametrize("path", PAGES)
def test_nobody_gets_in_without_logging_in(client, path):
    response = client.get(path)
    assert response.status_code == 302
    assert response["Location"] == f"/admin/login/?next={path}"


@pytest.mark.parametrize("path", PAGES[1:])
def test_staff_without_permissions_sees_nothing(client_with, path):
    client = client_with()
    assert client.get(path).status_code == 403
    index = client.get("/admin/")
    assert index.status_code == 200
    assert index.context["app_list"] == []


def test_finds_the_admin_without_its_slash(client):
    response = client.get("/admin")
    assert response.status_code in (301, 302)
    assert response["Location"] == "/admin/"


def test_people_who_are_no_staff_do_not_get_in(client):
    client.force_login(get_user_model().objects.create_user("carol", password="a password"))
    assert client.get("/admin/").status_code == 302


def test_logs_in_with_a_password():
    client = Client(enforce_csrf_checks=True)
    get_user_model().objects.create_superuser("alice", password="alice's password")
    page = client.get("/admin/login/")
    assert b"Registry Token Service" in page.content
    form = {"username": "alice", "password": "wrong", "next": "/admin/"}
    form["csrfmiddlewaretoken"] = str(page.context["csrf_token"])
    assert b"Please enter the correct" in client.post("/admin/login/", form).content
    form["password"] = "alice's password"
    response = client.post("/admin/login/", form)
    assert response.status_code == 302
    session = response.cookies["sessionid"]
    assert session["httponly"]
    assert session["samesite"] == "Lax"
    assert session["max-age"] <= 12 * 3600
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/login/", "/admin/plans/plan/", "/admin/nothing/"]
)
def test_pages_have_the_headers_that_protect_them(admin_client, path):
    response = admin_client.get(path)
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["X-Request-ID"]


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/plans/plan/add/", "/admin/logout/"])
def test_forms_need_their_csrf_token(path):
    client = Client(enforce_csrf_checks=True)
    client.force_login(get_user_model().objects.create_superuser("alice", password="a"))
    assert client.post(path, {"name": "team"}).status_code == 403
    assert b"_auth_user_id" not in client.get("/admin/login/").content


def test_token_needs_no_csrf_token_and_sets_no_cookie(authority):
    client = Client(enforce_csrf_checks=True)
    form = {
        "grant_type": "password",
        "password": authority.token("community"),
        "service": "registry.example.com",
        "scope": PULL,
    }
    encoded = "&".join(f"{name}={value}" for name, value in form.items())
    for path in ("/token", "/token/", "/auth/token"):
        response = client.post(path, encoded, "application/x-www-form-urlencoded")
        assert response.status_code == 200
        assert not response.cookies
        assert "Cookie" not in response.get("Vary", "")


def test_token_does_not_look_at_sessions(admin_client, get_token):
    response = admin_client.get("/token?service=registry.example.com")
    assert response.status_code == 401
    assert not response.cookies


@pytest.mark.parametrize("path", ["/token?service=a", "/jwks", "/", "/nothing"])
def test_a_foreign_host_is_a_json_error_for_programs(client, path):
    response = client.get(path, headers={"Host": "evil.example.com"})
    assert response.status_code == 400
    assert response["Content-Type"] == "application/json"
    assert response.json()["errors"][0]["message"] == "the request is malformed"


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/static/a.css"])
def test_a_foreign_host_is_a_page_for_people(client, path):
    response = client.get(path, headers={"Host": "evil.example.com"})
    assert response.status_code == 400
    assert response["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("host", ["10.1.2.3:8000", "evil.example.com", "a b", ""])
@pytest.mark.usefixtures("authority")
def test_probes_answer_under_any_host(client, host):
    for path in ("/healthz", "/readyz"):
        assert client.get(path, headers={"Host": host}).status_code == 200
