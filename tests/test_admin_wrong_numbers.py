"""Ids in forms and URLs of the admin that are none: a message or no such page, never an error."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import reverse

from licences.models import RevokedLicence
from plans.models import Plan

pytestmark = pytest.mark.usefixtures("catalogue")

WRONG = ["x", "", "-1", "1.5", "9" * 30, "9" * 5000, "\0", "²", "٣" * 40]
ACTIONS = {
    "plans_plan": ("disable", "enable", "delete_plans"),
    "licences_revokedlicence": ("reinstate",),
    "auth_user": ("delete_selected",),
    "auth_group": ("delete_selected",),
    "plans_cataloguerevision": ("delete_selected",),
    "licences_licenceevent": ("delete_selected",),
    "people_activity": ("delete_selected",),
}
LISTS = {
    f"{model._meta.app_label}_{model._meta.model_name}"
    for model in admin.site._registry
    if model._meta.model_name != "issuance"  # whose list only answers GET
}


def test_the_table_has_every_list():
    assert set(ACTIONS) == LISTS


@pytest.mark.parametrize("name", ACTIONS)
def test_selected_rows_that_are_none_are_told(admin_client, name):
    url = reverse(f"admin:{name}_changelist")
    plans, licences = Plan.objects.count(), RevokedLicence.objects.count()
    for action in ACTIONS[name]:
        for wrong in WRONG:
            form = {"action": action, "_selected_action": ["1", wrong], "index": wrong}
            form |= {"post": "yes", "confirmed": "yes", "reason": "a test"}
            response = admin_client.post(url, form)
            assert response.status_code == 302, wrong
            said = admin_client.get(response["Location"]).content.decode()
            assert "cannot be read; select them again" in said
    assert (Plan.objects.count(), RevokedLicence.objects.count()) == (plans, licences)


def test_what_is_selected_well_is_still_done(admin_client):
    group = Group.objects.create(name="some")
    form = {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"}
    admin_client.post(reverse("admin:auth_group_changelist"), form)
    assert not Group.objects.filter(pk=group.pk).exists()


@pytest.mark.parametrize("name", sorted(LISTS))
@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_pages_of_rows_that_are_none(admin_client, name, page):
    for wrong in filter(None, WRONG):
        url = reverse(f"admin:{name}_{page}", args=[wrong])
        for method in (admin_client.get, admin_client.post):
            assert method(url, {"loaded": "x", "name": "a", "reason": "b"}).status_code < 500
