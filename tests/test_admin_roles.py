"""Who may do what in the admin: role, page, method, and the expected answer."""

from __future__ import annotations

import importlib
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, User
from django.db import connection

from licences.models import LicenceEvent
from people import groups
from plans.models import Plan
from tests.test_admin_plans import sent_by

pytestmark = pytest.mark.usefixtures("catalogue")

ALL = frozenset(groups.GROUPS)
EDITORS = {"catalogue editor", "administrator"}
MANAGERS = {"licence manager", "administrator"}
AUDITORS = {"auditor", "administrator"}
ADMINISTRATORS = {"administrator"}
NOBODY: set[str] = set()

# Method, path, the roles that get in. A page of its own is one more line.
PAGES = [
    ("get", "/admin/", ALL),
    ("get", "/admin/plans/plan/", ALL),
    ("get", "/admin/plans/plan/{plan}/change/", ALL),
    ("post", "/admin/plans/plan/add/", EDITORS),
    ("post", "/admin/plans/plan/{plan}/change/", EDITORS),
    ("post", "/admin/plans/plan/{plan}/delete/", EDITORS),
    ("get", "/admin/plans/cataloguerevision/", ALL),
    ("get", "/admin/plans/cataloguerevision/1/change/", ALL),
    ("post", "/admin/plans/cataloguerevision/add/", NOBODY),
    ("get", "/admin/plans/cataloguerevision/1/restore/", EDITORS),
    ("post", "/admin/plans/cataloguerevision/1/restore/", EDITORS),
    ("get", "/admin/plans/cataloguerevision/1/catalogue.yaml", ALL),
    ("get", "/admin/catalogue/", ALL),
    ("post", "/admin/catalogue/", EDITORS),
    ("get", "/admin/catalogue/export/", ALL),
    ("get", "/admin/matches/", ALL),
    ("get", "/admin/simulate/", ALL),
    ("get", "/admin/licences/revokedlicence/", ALL),
    ("get", "/admin/licences/licenceevent/", ALL),
    ("get", "/admin/licences/licenceevent/{event}/change/", ALL),
    ("post", "/admin/licences/licenceevent/add/", NOBODY),
    ("get", "/admin/licences/revokedlicence/revoke-many/", MANAGERS),
    ("post", "/admin/licences/revokedlicence/revoke-many/", MANAGERS),
    ("get", "/admin/licences/revokedlicence/reinstate-many/", MANAGERS),
    ("post", "/admin/licences/revokedlicence/reinstate-many/", MANAGERS),
    ("post", "/admin/licences/revokedlicence/add/", MANAGERS),
    ("get", "/admin/issuances/issuance/", AUDITORS),
    ("post", "/admin/issuances/issuance/add/", NOBODY),
    ("get", "/admin/issuances/issuance/exports/", AUDITORS),
    ("get", "/admin/failed-authentications/", AUDITORS),
    ("get", "/admin/people/activity/", AUDITORS),
    ("post", "/admin/people/activity/add/", NOBODY),
    ("get", "/admin/auth/user/", ADMINISTRATORS),
    ("post", "/admin/auth/user/add/", ADMINISTRATORS),
    ("get", "/admin/auth/group/", ADMINISTRATORS),
    ("post", "/admin/auth/group/add/", ADMINISTRATORS),
]


def log_in(client, role):
    user = User.objects.create_user("alice", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)


@pytest.mark.parametrize("role", sorted(ALL))
@pytest.mark.parametrize(("method", "path", "roles"), PAGES)
def test_a_role_gets_where_its_job_leads_and_no_further(client, role, method, path, roles):
    log_in(client, role)
    url = path.format(plan=Plan.objects.earliest("pk").pk, event=LicenceEvent.objects.get().pk)
    # Past the permission check a form without its fields is shown again.
    form = {"rules-TOTAL_FORMS": 0, "rules-INITIAL_FORMS": 0} if method == "post" else {}
    assert getattr(client, method)(url, form).status_code == (200 if role in roles else 403)


@pytest.mark.parametrize("role", sorted(ALL))
def test_only_an_editor_deletes_plans_in_bulk(client, role):
    log_in(client, role)
    plans = list(Plan.objects.values_list("pk", flat=True))
    form = {"action": "delete_plans", "_selected_action": plans}
    asked = client.post("/admin/plans/plan/", form)
    if role in EDITORS:
        client.post("/admin/plans/plan/", sent_by(asked, typed=str(len(plans))))
    assert Plan.objects.exists() == (role not in EDITORS)


@pytest.mark.parametrize(("role", "may"), [(role, role in AUDITORS) for role in sorted(ALL)])
def test_only_auditors_may_export_the_log(role, may):
    names = Group.objects.get(name=role).permissions.values_list("codename", flat=True)
    assert ("export_issuance" in names) == may


def test_the_migration_runs_again_without_touching_an_operators_groups():
    Group.objects.get(name="viewer").permissions.clear()
    Group.objects.get(name="auditor").delete()
    migration = importlib.import_module("people.migrations.0002_groups")
    migration.create_groups(apps, SimpleNamespace(connection=connection))
    assert not Group.objects.get(name="viewer").permissions.exists()
    assert Group.objects.get(name="auditor").permissions.count() == len(groups.AUDITOR)
