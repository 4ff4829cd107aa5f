"""Plans in the admin: validated, one revision each, at once in effect."""

from __future__ import annotations

import pytest

from plans.models import CatalogueRevision, Plan, PlanRule

pytestmark = pytest.mark.django_db

PLANS = "/admin/plans/plan/"
RULE = {"effect": "allow", "type": "repository", "pattern": "team/**", "actions": ["pull"]}


def form(*rules, initial=0, **plan):
    """The fields of a plan's page."""
    fields = {"name": "team", "description": "", "enabled": "on", "reason": "a test"} | plan
    fields |= {"rules-TOTAL_FORMS": len(rules), "rules-INITIAL_FORMS": initial}
    for index, rule in enumerate(rules):
        fields |= {f"rules-{index}-{name}": value for name, value in rule.items()}
    return {name: value for name, value in fields.items() if value is not None}


def confirmed(client, page, fields, **more):
    """The answer to the confirmation of what these fields change."""
    response = client.post(page, fields)
    assert response.status_code == 200
    return client.post(page, sent_by(response, **more))


def sent_by(response, **more):
    """What the confirmation page sends."""
    fields = {"confirmed": response.context["change"].key, "post": "yes", "reason": "a test"}
    for name, value in response.context["carried"]:
        fields.setdefault(name, []).append(value)
    return fields | more


def newest():
    revision = CatalogueRevision.objects.latest("number")
    return revision.number, revision.actor, revision.source


def number():
    return newest()[0]


@pytest.fixture
def plan():
    plan = Plan.objects.create(name="team")
    PlanRule.objects.create(plan=plan, pattern="team/**", actions=["pull"])
    return plan


@pytest.fixture
def page(plan):
    return f"{PLANS}{plan.pk}/change/"


def unchanged(plan):
    """The rule's fields as the page has sent them."""
    rule = plan.rules.get()
    return RULE | {"id": rule.pk, "plan": plan.pk, "services": "\n".join(rule.services)}


def test_adds_a_plan_with_its_rules(admin_client):
    rules = [
        RULE | {"actions": ["push", "pull"], "services": " a.example.com,b.example.com \n\nc "},
        RULE | {"effect": "deny", "pattern": "team/x"},
        {"effect": "allow", "type": "registry", "pattern": "catalog", "actions": ["*"]},
    ]
    response = admin_client.post(f"{PLANS}add/", form(*rules, licence_required="on"))
    assert response.status_code == 302
    plan = Plan.objects.get()
    assert (plan.name, plan.enabled, plan.licence_required) == ("team", True, True)
    assert [str(rule) for rule in plan.rules.all()] == [
        "allow pull, push on team/** for a.example.com, b.example.com, c",
        "deny pull on team/x",
        "allow * on registry:catalog",
    ]
    assert newest() == (1, "admin", "admin")
    assert CatalogueRevision.objects.latest("number").reason == "a test"


INVALID = {
    "no pattern": ("pattern", "", "is empty; write a repository name"),
    "pattern": ("pattern", "team/a**", "** stands alone between slashes"),
    "never matches": ("pattern", "Team/App", "can never match a repository name"),
    "empty part": ("pattern", "team/", "has an empty part"),
    "no action": ("actions", [], "tick one or more, as in pull"),
    "unknown action": ("actions", ["pul"], "pul is not one of the available choices"),
    "effect": ("effect", "permit", "permit is not one of the available choices"),
    "service": ("services", "a\0b", "must be a list of service names"),
}


@pytest.mark.parametrize("case", INVALID)
def test_says_next_to_the_field_what_is_wrong_with_a_rule(admin_client, case):
    field, value, message = INVALID[case]
    response = admin_client.post(f"{PLANS}add/", form(RULE | {field: value}))
    assert response.status_code == 200
    (formset,) = response.context["inline_admin_formsets"]
    (errors,) = formset.formset.errors
    assert list(errors) == [field]
    assert message in errors[field][0]
    assert "errorlist" in response.content.decode()
    assert not Plan.objects.exists()
    assert number() == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"pattern": "catalog", "actions": ["pull"]}, "actions"), ({"actions": ["*"]}, "pattern")],
    ids=["actions", "pattern"],
)
def test_a_rule_for_the_registry_is_for_the_whole_catalog(admin_client, changes, field):
    rule = RULE | {"type": "registry"} | changes
    response = admin_client.post(f"{PLANS}add/", form(rule))
    assert response.status_code == 200
    (formset,) = response.context["inline_admin_formsets"]
    assert list(formset.formset.errors[0]) == [field]


@pytest.mark.parametrize(
    ("name", "message"),
    [("", "required"), ("a b", "must consist of"), ("-a", "must consist"), ("taken", "exists")],
)
def test_says_what_is_wrong_with_a_name(admin_client, name, message):
    Plan.objects.create(name="taken")
    response = admin_client.post(f"{PLANS}add/", form(name=name))
    errors = response.context["adminform"].form.errors
    assert list(errors) == ["name"]
    assert message in errors["name"][0]


def test_a_save_without_a_difference_is_no_revision(admin_client, page, plan):
    before = number()
    assert admin_client.post(page, form(unchanged(plan), initial=1)).status_code == 302
    assert number() == before


CHANGES = {
    "plan": ({"description": "new"}, {}),
    "rule": ({}, {"pattern": "team/app"}),
    "both": ({"description": "new"}, {"actions": ["pull", "push"]}),
    "services": ({}, {"services": "a.example.com"}),
    "remove the rule": ({}, {"DELETE": "on"}),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_is_one_revision(admin_client, page, plan, case):
    before = number()
    of_plan, of_rule = CHANGES[case]
    data = form(unchanged(plan) | of_rule, initial=1, **of_plan)
    assert admin_client.post(page, data).status_code == 302
    assert newest() == (before + 1, "admin", "admin")


def test_the_page_shows_what_is_saved(admin_client, page, plan):
    plan.rules.update(services=["a.example.com", "b.example.com"], actions=["pull", "push"])
    (formset,) = admin_client.get(page).context["inline_admin_formsets"]
    shown = formset.formset.forms[0]
    assert shown["services"].value() == "a.example.com\nb.example.com"
    assert shown["actions"].value() == ["pull", "push"]


def test_lists_plans_with_their_number_of_rules(admin_client, plan):
    (listed,) = admin_client.get(f"{PLANS}?q=tea").context["cl"].result_list
    assert (listed.name, listed._rules) == ("team", 1)


def test_a_change_counts_from_the_next_request(admin_client, authority, get_token, plan, page):
    token, scope = authority.token("team", "LIC-1"), "repository:team/app:pull"
    assert get_token(token, scope).status_code == 200
    confirmed(admin_client, page, form(unchanged(plan) | {"pattern": "other/**"}, initial=1))
    assert get_token(token, scope).status_code == 403
    admin_client.post(page, form(unchanged(plan) | {"pattern": "team/*"}, initial=1))
    assert get_token(token, scope).status_code == 200
    disabled = form(unchanged(plan) | {"pattern": "team/*"}, initial=1, enabled=None)
    confirmed(admin_client, page, disabled)
    assert get_token(token, scope).status_code == 403


def test_nobody_else_can_change_a_plan(client_with, plan, page):
    client = client_with()
    before = number()
    assert client.post(page, form(unchanged(plan), initial=1, enabled=None)).status_code == 403
    assert client.post(f"{PLANS}{plan.pk}/delete/", {"post": "yes"}).status_code == 403
    assert number() == before


def test_a_plan_with_many_rules_can_be_disabled(admin_client, page, plan):
    for number in range(300):
        plan.rules.create(pattern=f"team/r{number}", actions=["pull"])
    rules = [
        RULE | {"id": rule.pk, "plan": plan.pk, "pattern": rule.pattern, "services": ""}
        for rule in plan.rules.all()
    ]
    fields = form(*rules, initial=len(rules), enabled=None)
    assert confirmed(admin_client, page, fields).status_code == 302
    plan.refresh_from_db()
    assert not plan.enabled
