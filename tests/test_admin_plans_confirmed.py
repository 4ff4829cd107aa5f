"""What takes something away from callers is shown before it is done."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from plans.models import CatalogueRevision, Plan, PlanRule
from tests.test_admin_plans import PLANS, RULE, confirmed, form, newest, number, sent_by

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(authority, get_token):
    """A plan by which Alice has got a token twice."""
    plan = Plan.objects.create(name="team")
    PlanRule.objects.create(plan=plan, pattern="team/**", actions=["pull"])
    for _ in range(2):
        token = authority.token("team", "LIC-1", sub="alice")
        assert get_token(token, "repository:team/app:pull").status_code == 200
    return plan


def fields(plan, pattern="team/**", **changes):
    rule = RULE | {"id": plan.rules.get().pk, "plan": plan.pk, "pattern": pattern, "services": ""}
    return form(rule, initial=1, **changes)


def asked(response):
    """The requests and callers that a confirmation page speaks of."""
    assert response.status_code == 200
    found = response.context["found"]
    return found.requests, found.callers


def test_a_narrowed_plan_is_confirmed_with_its_consequence(admin_client, plan):
    page, before = f"{PLANS}{plan.pk}/change/", number()
    response = admin_client.post(page, fields(plan, "team/x"))
    assert asked(response) == (2, 1)
    html = response.content.decode()
    for part in ("alice", "repository:team/app:pull", "nothing_granted", "2 requests would be"):
        assert part in html
    assert "changed successfully" not in html
    assert (plan.rules.get().pattern, number()) == ("team/**", before)
    assert admin_client.post(page, sent_by(response)).status_code == 302
    assert (plan.rules.get().pattern, number()) == ("team/x", before + 1)


@pytest.mark.parametrize(
    ("pattern", "changes"),
    [("team/*", {}), ("**", {}), ("team/**", {"description": "new"})],
    ids=["as before", "widened", "description"],
)
def test_a_change_without_a_loss_is_not_asked_about(admin_client, plan, pattern, changes):
    before = number()
    response = admin_client.post(f"{PLANS}{plan.pk}/change/", fields(plan, pattern, **changes))
    assert response.status_code == 302
    assert number() == before + 1


def test_is_asked_again_when_the_plans_have_changed_in_between(admin_client, plan):
    page = f"{PLANS}{plan.pk}/change/"
    response = admin_client.post(page, fields(plan, "team/x"))
    Plan.objects.create(name="other")
    again = admin_client.post(page, sent_by(response))
    assert asked(again) == (2, 1)
    assert "have changed since you were asked" in again.content.decode()
    assert admin_client.post(page, sent_by(again)).status_code == 302


def test_deleting_asks_for_name_and_reason(admin_client, plan):
    page, before = f"{PLANS}{plan.pk}/delete/", number()
    response = admin_client.get(page)
    assert asked(response) == (2, 1)
    for wrong in ({"typed": "tea"}, {"typed": "team", "reason": ""}, {"typed": ""}):
        refused = admin_client.post(page, sent_by(response, **wrong))
        assert refused.status_code == 200
        assert refused.context["form"].errors
        assert number() == before
    assert admin_client.post(page, sent_by(response, typed="team")).status_code == 302
    assert not PlanRule.objects.exists()
    assert newest() == (before + 1, "admin", "admin")
    assert CatalogueRevision.objects.latest("number").reason == "a test"


def test_deletes_several_plans_as_one_revision(admin_client, plan):
    others = [Plan.objects.create(name=name).pk for name in ("a", "b")]
    before = number()
    selected = {"action": "delete_plans", "_selected_action": [plan.pk, *others]}
    assert confirmed(admin_client, PLANS, selected, typed="3").status_code == 302
    assert not Plan.objects.exists()
    assert number() == before + 1


def test_disables_and_enables_several_plans_as_one_revision(admin_client, plan):
    other, before = Plan.objects.create(name="a").pk, number()
    selected = {"action": "disable", "_selected_action": [plan.pk, other]}
    assert confirmed(admin_client, PLANS, selected).status_code == 302
    assert not Plan.objects.filter(enabled=True).exists()
    selected["action"] = "enable"
    assert confirmed(admin_client, PLANS, selected).status_code == 302
    assert not Plan.objects.filter(enabled=False).exists()
    assert number() == before + 2


def test_who_may_only_see_plans_can_neither_disable_nor_delete(client_with, plan):
    client = client_with("view_plan")
    before = number()
    assert client.get(f"{PLANS}{plan.pk}/delete/").status_code == 403
    for action in ("disable", "delete_plans"):
        client.post(PLANS, {"action": action, "_selected_action": [plan.pk], "reason": "x"})
    assert number() == before


def test_the_page_says_what_is_to_be_confirmed(admin_client, plan):
    page, other = f"{PLANS}{plan.pk}/change/", Plan.objects.create(name="a").pk
    both = {"_selected_action": [plan.pk, other]}
    for answer, title in (
        (admin_client.post(page, fields(plan, "team/x")), "Change plan team?"),
        (admin_client.post(page, fields(plan, "team/**", enabled="")), "Disable plan team?"),
        (admin_client.post(page, fields(plan, "team/**", name="tea")), "Change plan team?"),
        (admin_client.get(f"{PLANS}{plan.pk}/delete/"), "Delete plan team?"),
        (admin_client.post(PLANS, both | {"action": "disable"}), "Disable plans a, team?"),
        (admin_client.post(PLANS, both | {"action": "delete_plans"}), "Delete plans a, team?"),
    ):
        assert answer.context["title"] == title


def test_the_log_is_read_while_nobody_waits_to_change_something(admin_client, plan):
    """What a change takes away is looked up outside of the transaction that locks the catalogue,
    and on SQLite the log.
    """
    page = f"{PLANS}{plan.pk}/change/"
    with CaptureQueriesContext(connection) as queries:
        admin_client.post(page, sent_by(admin_client.post(page, fields(plan, "team/x"))))
    assert plan.rules.get().pattern == "team/x"
    depth, read_at, previous = 0, set(), ""
    for query in (one["sql"] for one in queries):
        if query.startswith("ROLLBACK"):
            depth -= 1
        elif query.startswith("RELEASE"):
            depth -= 0 if previous.startswith("ROLLBACK") else 1
        elif query.startswith("SAVEPOINT"):
            depth += 1
        elif 'FROM "issuances_issuance"' in query:
            read_at.add(depth)
        previous = query
    assert read_at == {0}
