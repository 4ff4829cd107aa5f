"""What lint finds, shown where a plan is edited."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from plans.models import Plan
from tests.test_admin_plans import PLANS, RULE, form

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan():
    plan = Plan.objects.create(name="team")
    plan.rules.create(pattern="team/**", actions=["pull"])
    return plan


def test_a_plan_is_saved_with_warnings_and_shows_them(admin_client):
    data = form(RULE | {"pattern": "**", "actions": ["pull", "push"]}, name="wide")
    data["reason"] = "for a test"
    response = admin_client.post(f"{PLANS}add/", data, follow=True)
    plan = Plan.objects.get(name="wide")
    (warning,) = [m for m in response.context["messages"] if m.level_tag == "warning"]
    assert "callers may change repositories of everybody" in str(warning)
    page = admin_client.get(f"{PLANS}{plan.pk}/change/").content.decode()
    assert "callers may change repositories of everybody" in page
    assert "Probably not meant" in page


def test_a_plan_without_findings_has_no_warnings(admin_client, plan):
    page = admin_client.get(f"{PLANS}{plan.pk}/change/").content.decode()
    assert "Probably not meant" not in page


def test_the_warnings_are_about_what_was_saved(admin_client, plan):
    fields = {"id": plan.rules.get().pk, "plan": plan.pk, "services": "c.example.com"}
    data = form(RULE | fields, initial=1, reason="for a test")
    response = admin_client.post(f"{PLANS}{plan.pk}/change/", data, follow=True)
    (warning,) = [m for m in response.context["messages"] if m.level_tag == "warning"]
    assert "c.example.com is not a configured service" in str(warning)


@pytest.mark.parametrize("reason", ["for a test", ""], ids=["saved", "refused"])
def test_lint_holds_up_nobody_who_changes_the_catalogue(admin_client, plan, reason):
    """It is asked outside of the transaction in which the writers stand in line."""
    fields = {"id": plan.rules.get().pk, "plan": plan.pk, "pattern": "team/*/**"}
    data = form(RULE | fields, initial=1, reason=reason)
    with CaptureQueriesContext(connection) as queries:
        admin_client.post(f"{PLANS}{plan.pk}/change/", data)
    depth, asked_at = 0, []
    for query in (one["sql"] for one in queries):
        depth += query.startswith("SAVEPOINT") - query.startswith("RELEASE SAVEPOINT")
        if query.startswith('SELECT "issuances_issuance"."created_at"'):
            asked_at.append(depth)
    assert asked_at == [0]
