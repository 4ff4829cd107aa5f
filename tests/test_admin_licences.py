"""Revoked licences in the admin: one entry whatever the spelling, at once in effect."""

from __future__ import annotations

import pytest

from licences.models import RevokedLicence
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
    admin_client.post(f"{LICENCES}{revoked.pk}/delete/", {"post": "yes"})
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
    response = admin_client.post(f"{LICENCES}add/", {"licence": licence, "reason": ""})
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
