"""What the browser shows instead of a page: why, and the way back."""

from __future__ import annotations

import pytest
from django.test import Client

from registry_token import errors

pytestmark = pytest.mark.django_db


def shown(response, status):
    assert response.status_code == status
    html = response.content.decode()
    assert 'href="/admin/">To the overview</a>' in html
    assert "registry_token/admin.css" in html
    return html


def test_who_may_not_is_told_by_which_name_and_whom_to_ask(client_with):
    html = shown(client_with("view_plan").get("/admin/plans/plan/add/"), 403)
    assert "You are logged in as bob, who may not" in html
    assert "ask an administrator" in html


def test_an_address_without_a_page_leads_back(admin_client):
    assert "There is no page at this address." in shown(admin_client.get("/admin/no/page/"), 404)


def test_what_is_not_there_is_named(admin_client):
    path = "/admin/plans/cataloguerevision/99/restore/"
    assert "There is no revision 99." in shown(admin_client.get(path), 404)


def test_a_form_of_elsewhere_changes_nothing_and_is_explained(admin_user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    html = shown(client.post("/admin/plans/plan/add/", {"name": "x"}), 403)
    assert "nothing is changed" in html
    assert "<style" not in html


def test_a_malformed_request_and_a_fault_have_their_pages(rf):
    request = rf.get("/admin/")
    assert "cannot be read" in shown(errors.bad_request(request, ValueError()), 400)
    assert "A fault of ours" in shown(errors.server_error(request), 500)


@pytest.mark.parametrize("path", ["/admin/", "/admin/login/", "/api/v1/docs"])
def test_the_page_for_a_wrong_host_is_as_protected_as_others(client, path):
    response = client.get(path, headers={"host": "evil.example.com"})
    assert response.status_code == 400
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert response["Referrer-Policy"] == "same-origin"
    assert "evil" not in response.content.decode()
