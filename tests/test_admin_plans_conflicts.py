"""Two people edit one plan in the admin; every change says why."""

from __future__ import annotations

import re

import pytest

from plans.models import CatalogueRevision, Plan, PlanRule
from plans.revisions import catalogue_change
from tests.test_admin_plans import PLANS, RULE, form

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan():
    plan = Plan.objects.create(name="team")
    PlanRule.objects.create(plan=plan, pattern="team/**", actions=["pull"])
    return plan


@pytest.fixture
def page(plan):
    return f"{PLANS}{plan.pk}/change/"


def typed(client, page, plan, **changes):
    """What the page sends when the description was changed."""
    loaded = client.get(page).context["adminform"].form["loaded"].value()
    rule = RULE | {"id": plan.rules.get().pk, "plan": plan.pk, "services": ""}
    return form(rule, initial=1, loaded=loaded, description="mine", **changes)


def shown(response):
    """The fields of a page, as a browser would send them again."""
    adminform = response.context["adminform"].form
    (formset,) = response.context["inline_admin_formsets"]
    return adminform.data.dict() | {
        key: formset.formset.data.getlist(key)
        for key in formset.formset.data
        if re.fullmatch(r"rules-\d+-.*", key)
    }


@pytest.mark.parametrize("reason", ["", "   ", "a\nb\x00", "x" * 501])
def test_a_change_without_a_proper_reason_is_refused(admin_client, plan, page, reason):
    before = CatalogueRevision.objects.count()
    response = admin_client.post(page, typed(admin_client, page, plan, reason=reason))
    assert list(response.context["adminform"].form.errors) == ["reason"]
    assert CatalogueRevision.objects.count() == before


def test_the_second_editor_is_told_and_loses_nothing(admin_client, plan, page):
    data = typed(admin_client, page, plan)
    with catalogue_change(actor="bob", source="admin", reason="order 17"):
        plan.rules.all().delete()
        plan.rules.create(pattern="bob/**", actions=["push"])
    before = CatalogueRevision.objects.count()
    response = admin_client.post(page, data)
    (message,) = response.context["adminform"].form.non_field_errors()
    for part in (
        "bob changed this plan",
        "order 17",
        "rule added: allow push on bob/**",
        "rule removed: allow pull on team/**",
    ):
        assert part in message
    assert 'value="mine"' in response.content.decode()
    assert CatalogueRevision.objects.count() == before
    assert admin_client.post(page, shown(response)).status_code == 302
    assert {rule.pattern for rule in plan.rules.all()} == {"team/**", "bob/**"}
    assert Plan.objects.get().description == "mine"


def test_a_plan_deleted_meanwhile_can_be_added_again(admin_client, plan, page):
    data = typed(admin_client, page, plan)
    with catalogue_change(actor="bob", source="admin", reason="no longer sold"):
        plan.delete()
    response = admin_client.post(page, data)
    (message,) = response.context["adminform"].form.non_field_errors()
    assert "bob deleted this plan" in message
    assert f'action="{PLANS}add/"' in response.content.decode()
    assert admin_client.post(f"{PLANS}add/", shown(response)).status_code == 302
    assert [rule.pattern for rule in Plan.objects.get().rules.all()] == ["team/**"]


def test_another_plan_changed_meanwhile_is_no_conflict(admin_client, plan, page):
    data = typed(admin_client, page, plan)
    Plan.objects.create(name="other")
    assert admin_client.post(page, data).status_code == 302


def test_inputs_in_the_table_of_rules_have_names(admin_client, page):
    html = admin_client.get(page).content.decode()
    for name in ("effect", "type", "pattern", "services", "DELETE"):
        assert re.search(rf'name="rules-0-{name}"[^>]*aria-label="[^"]+"', html), name
    assert 'aria-label="None"' not in html
