"""The catalogue file in the browser: saved, and loaded after a look at the differences."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from licences.models import RevokedLicence
from plans.models import CatalogueRevision, Plan
from registry_token.pages.catalogue_files import EXAMPLE as EXAMPLE_FILE
from tests.conftest import EXAMPLE

pytestmark = pytest.mark.usefixtures("catalogue")

PAGE, EXPORT = "/admin/catalogue/", "/admin/catalogue/export/"
PLAN = "plans: [{name: team, rules: [{repositories: team/**, actions: [pull]}]}]"
EDIT = ("view_plan", "add_plan", "change_plan", "delete_plan")
REVOKE = ("add_revokedlicence", "change_revokedlicence", "delete_revokedlicence")


def newest():
    return CatalogueRevision.objects.latest("number")


def sent(client, text="", status=200, **form):
    response = client.post(PAGE, {"text": text, **form})
    assert response.status_code == status, response.content
    return response


def applied(client, preview, **form):
    """Send back what the page with the differences holds."""
    context = preview.context
    return client.post(
        PAGE,
        {
            "text": context["chosen"]["text"],
            "seen": context["form"]["seen"].value(),
            "apply": "yes",
            "reason": "new customer",
        }
        | ({"prune": "on"} if context["chosen"]["prune"] else {})
        | form,
    )


def dumped():
    out = StringIO()
    call_command("dump_catalogue", stdout=out)
    return out.getvalue()


def test_saves_the_catalogue_as_the_command_does(admin_client):
    response = admin_client.get(EXPORT, {"licences": "yes"})
    assert response.content.decode() == dumped()
    assert response["Content-Disposition"] == 'attachment; filename="catalogue-1.yaml"'


def test_saves_plans_without_licences(admin_client):
    text = admin_client.get(EXPORT).content.decode()
    assert "community" in text
    assert "LIC-0007" not in text


def test_licences_are_saved_only_by_those_who_may_view_them(client_with):
    client = client_with("view_plan")
    assert client.get(EXPORT).status_code == 200
    assert client.get(EXPORT, {"licences": "yes"}).status_code == 403
    assert "licences=yes" not in client.get(PAGE).content.decode()


def test_shows_the_differences_and_changes_nothing(admin_client):
    before = dumped()
    shown = sent(admin_client, PLAN).content.decode()
    assert "added plan team with 1 rule" in shown
    assert "Plan team: added" in shown
    assert '<span class="badge bad">widened</span>' in shown
    assert "enterprise" not in shown
    assert (dumped(), newest().number) == (before, 1)


def test_applies_what_was_shown_as_one_revision(admin_client, authority, get_token):
    response = applied(admin_client, sent(admin_client, PLAN))
    assert response["Location"] == "/admin/plans/cataloguerevision/2/change/"
    assert (newest().actor, newest().source, newest().reason) == ("admin", "admin", "new customer")
    assert [plan.name for plan in Plan.objects.all()] == ["community", "enterprise", "team"]
    assert get_token(authority.token("team"), "repository:team/app:pull").status_code == 200


def test_the_example_on_the_page_can_be_loaded(admin_client):
    html = admin_client.get(PAGE).content.decode()
    assert html.count("{licence: LIC-0042, reason: chargeback}") == 1
    assert (
        "added plan"
        in sent(admin_client, EXAMPLE_FILE.replace("enterprise", "new")).content.decode()
    )


def test_takes_a_file(admin_client):
    upload = SimpleUploadedFile("catalogue.yaml", f"\ufeff# für ünï\n{PLAN}".encode())
    response = admin_client.post(PAGE, {"file": upload})
    assert "added plan team" in response.content.decode()
    assert applied(admin_client, response).status_code == 302


def test_loads_back_what_it_saved(admin_client):
    before = dumped()
    saved = admin_client.get(EXPORT, {"licences": "yes"}).content.decode()
    assert "nothing to change" in sent(admin_client, saved).content.decode()
    Plan.objects.all().delete()
    RevokedLicence.objects.all().delete()
    applied(admin_client, sent(admin_client, saved.replace("\n", "\r\n")))
    assert dumped() == before


def test_removes_the_rest_only_when_asked_to(admin_client):
    preview = sent(admin_client, PLAN, prune="on")
    shown = preview.content.decode()
    assert "removed plan community" in shown
    assert "removed revoked licence LIC-0007" in shown
    assert "widened and narrowed" in shown
    assert 'name="agreed"' in shown
    assert "Type 2, the number of plans, to delete them" in shown
    applied(admin_client, preview, agreed="on", typed="2")
    assert [plan.name for plan in Plan.objects.all()] == ["team"]
    assert not RevokedLicence.objects.exists()


def test_an_empty_file_never_removes_everything(admin_client):
    shown = sent(admin_client, "# nothing", prune="on").content.decode()
    assert "everything would be removed" in shown


def test_lists_errors_with_their_path_and_keeps_the_text(admin_client):
    text = "plans: [{name: <b>}, {rules: [{repositories: a//b, actions: [pull]}]}]"
    shown = sent(admin_client, text, apply="yes", reason="a", seen="1").content.decode()
    for path in ("plans[0].name", "plans[1].name", "plans[1].rules[0].repositories"):
        assert f"<li>{path}: " in shown
    assert "<b>" not in shown
    assert "{name: &lt;b&gt;}" in shown
    assert newest().number == 1


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "Choose a file or paste its text"),
    "both": ({"text": PLAN, "file": PLAN.encode()}, "Choose a file or paste its text"),
    "not YAML": ({"text": "plans: ["}, "the text is not valid YAML: line 2"),
    "not UTF-8": ({"file": b"\xff\xfe"}, "not text in UTF-8"),
    "a large file": ({"file": b"#" * (2 * 1024 * 1024 + 1)}, "larger than 2 MiB"),
    "a large text": ({"text": "#" * (2 * 1024 * 1024)}, "larger than 2 MiB"),
    "many lines": ({"file": b"#\n" * (900 * 1024)}, "larger than 2 MiB"),
}


@pytest.mark.parametrize("case", WRONG)
def test_says_what_is_wrong_with_a_file(admin_client, case):
    form, message = WRONG[case]
    if "file" in form:
        form = {**form, "file": SimpleUploadedFile("catalogue.yaml", form["file"])}
    response = admin_client.post(PAGE, form)
    assert response.status_code == 200
    assert message in response.content.decode()


def test_applying_needs_a_reason(admin_client):
    response = applied(admin_client, sent(admin_client, PLAN), reason="")
    assert "Say why, as in:" in response.content.decode()
    assert newest().number == 1


def test_differences_are_shown_again_when_the_catalogue_has_changed(admin_client):
    preview = sent(admin_client, PLAN)
    Plan.objects.create(name="team")
    response = applied(admin_client, preview)
    shown = response.content.decode()
    assert "Somebody changed the catalogue meanwhile" in shown
    assert "changed plan team: rules" in shown
    assert "new customer" in shown
    assert newest().number == 2
    assert applied(admin_client, response).status_code == 302
    assert newest().number == 3


@pytest.mark.parametrize("missing", EDIT)
def test_loading_needs_each_permission(client_with, missing):
    client = client_with(*({*EDIT, *REVOKE} - {missing}))
    assert client.post(PAGE, {"text": PLAN}).status_code == 403


def test_viewers_may_save_but_are_offered_no_loading(client_with):
    shown = client_with("view_plan").get(PAGE).content.decode()
    assert EXPORT in shown
    assert 'name="file"' not in shown


@pytest.mark.parametrize(
    "form",
    [
        {"text": "revoked_licences: [{licence: LIC-1}]"},
        {"text": "plans: []", "prune": "on"},
        {"text": "revoked_licences: [{licence: LIC-1}]", "apply": "yes", "reason": "a"},
    ],
    ids=["added", "removed", "applied"],
)
def test_licences_are_changed_only_by_those_who_may(client_with, form):
    client = client_with(*EDIT)
    response = client.post(PAGE, form | {"seen": f"1-{newest().fingerprint}"})
    assert "you may change plans, but not revoked licences" in response.content.decode()
    assert newest().number == 1


def test_unchanged_licences_hinder_no_editor_of_plans(client_with):
    client = client_with(*EDIT)
    response = client.post(PAGE, {"text": f"{PLAN}\n{_licences()}"})
    assert "added plan team" in response.content.decode()


def _licences():
    text = EXAMPLE.read_text()
    return text[text.index("\nrevoked_licences:") :]


def test_the_file_page_needs_its_csrf_token_and_permission(admin_user, client_with):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    assert client.post(PAGE, {"text": PLAN}).status_code == 403
    assert client_with("view_issuance").get(PAGE).status_code == 403


def test_the_text_is_shown_as_text(admin_client):
    text = f"# </textarea><script>alert(1)</script>\n{PLAN}"
    shown = sent(admin_client, text).content.decode()
    assert "<script>alert" not in shown
    assert "&lt;/textarea&gt;" in shown
