"""The simulator's page: what was pasted, by which catalogue, and who may ask."""

from __future__ import annotations

import pytest

from issuances.models import Issuance
from plans.models import CatalogueRevision, Plan
from tests.test_admin_plans import PLANS, RULE, form

pytestmark = pytest.mark.usefixtures("catalogue")

PAGE, UNSAVED = "/admin/simulate/", "/admin/simulate/unsaved/"
PUBLIC = "repository:stella-ops/public/app:pull"
PUSH = "repository:stella-ops/public/app:push"


def results(response):
    assert response.status_code == 200, response.content
    return response.context["results"]


def result(response):
    (found,) = results(response)
    return found


def outcome(found):
    return found["refusal"]["code"] if found["refusal"] else " ".join(found["granted"])


def test_the_bare_page_asks_nothing(admin_client):
    response = admin_client.get(PAGE)
    assert results(response) == []
    page = response.content.decode()
    assert '<option value="enterprise">' in page
    assert "errorlist" not in page
    assert 'href="/admin/simulate/" aria-current="page"' in page


ASKED = {
    "a command": ("docker pull registry.example.com/stella-ops/public/app:1", PUBLIC),
    "an image": ("registry.example.com:5000/stella-ops/public/app", PUBLIC),
    "a scope": (PUBLIC, PUBLIC),
    "a push": ("docker push registry.example.com/stella-ops/public/app", PUBLIC),
    "what is not allowed": (PUSH, "nothing_granted"),
    "a log-in": ("docker login registry.example.com", ""),
    "nothing": ("", ""),
}


@pytest.mark.parametrize(("asked", "expected"), ASKED.values(), ids=ASKED)
def test_simulates_what_was_pasted(admin_client, asked, expected):
    response = admin_client.get(PAGE, {"plan": "community", "asked": asked})
    assert outcome(result(response)) == expected


def test_shows_rules_checks_the_nearest_rule_and_a_link_to_the_plan(admin_client):
    page = admin_client.get(
        PAGE, {"plan": "community", "asked": f"{PUBLIC}\n{PUSH.replace('public', 'x')}"}
    ).content.decode()
    assert "allow pull on stella-ops/public/**" in page
    assert "wants public as part 2, where the name has x" in page
    assert "granted in part" in page
    assert f"/admin/plans/plan/{Plan.objects.get(name='community').pk}/change/" in page
    assert "The plan exists and is enabled" in page
    assert page.count(">passed<") == 6


def test_each_registry_is_asked_by_itself(admin_client):
    asked = "skopeo copy docker://registry.example.com/stella-ops/a docker://mirror.example.com/mirror/a"
    response = admin_client.get(PAGE, {"plan": "enterprise", "licence": "L", "asked": asked})
    assert [(found["service"], outcome(found)) for found in results(response)] == [
        ("registry.example.com", "repository:stella-ops/a:pull"),
        ("mirror.example.com", "repository:mirror/a:pull"),
    ]


def test_a_chosen_service_counts_for_all(admin_client):
    query = {"plan": "community", "asked": "docker pull ubuntu", "service": "mirror.example.com"}
    assert result(admin_client.get(PAGE, query))["service"] == "mirror.example.com"


WRONG = {
    "unreadable": ("asked", "dcoker pull x", "is neither a command"),
    "not configured": ("asked", "docker pull ubuntu", "docker.io is not a configured service"),
    "too many": ("asked", "\n".join(f"repository:a{n}:pull" for n in range(65)), "limit is 64"),
    "no such revision": ("revision", "99", "there is no catalogue revision 99; the newest is 1"),
    "a huge revision": ("revision", "9" * 30, "there is no catalogue revision"),
    "no number": ("revision", "x", "Enter a whole number"),
    "no such request": ("request_id", "nothing", "the issuance log has no request nothing"),
    "a service": ("service", "x", "Select a valid choice"),
    "a zero byte": ("plan", "a\0", "Null characters are not allowed"),
}


@pytest.mark.parametrize(("field", "value", "message"), WRONG.values(), ids=WRONG)
def test_says_next_to_the_field_what_is_wrong(admin_client, field, value, message):
    response = admin_client.get(PAGE, {"plan": "community", field: value})
    assert results(response) == []
    errors = response.context["form"].errors
    assert list(errors) == [field]
    assert message in errors[field][0]


def test_decides_by_an_earlier_revision(admin_client):
    Plan.objects.get(name="community").delete()
    query = {"plan": "community", "asked": PUBLIC}
    assert outcome(result(admin_client.get(PAGE, query))) == "plan_unknown"
    response = admin_client.get(PAGE, query | {"revision": "1"})
    found = result(response)
    assert (outcome(found), found["revision"]) == (PUBLIC, 1)
    assert "/admin/plans/cataloguerevision/1/change/" in response.content.decode()


def test_takes_a_refused_request_from_the_log_and_fills_in_the_form(
    admin_client, authority, get_token
):
    request_id = get_token(authority.token("community", "LIC-1"), PUSH)["X-Request-ID"]
    response = admin_client.get(PAGE, {"request_id": request_id})
    assert outcome(result(response)) == "nothing_granted"
    shown = response.context["form"]
    assert [shown[name].value() for name in ("plan", "licence", "asked", "request_id")] == [
        "community",
        "LIC-1",
        PUSH,
        None,
    ]


def test_the_log_is_for_those_who_may_read_it(client_with, authority, get_token):
    request_id = get_token(authority.token("community", "LIC-1"), PUSH)["X-Request-ID"]
    response = client_with("view_plan").get(PAGE, {"request_id": request_id})
    assert "request_id" not in response.context["form"].fields
    assert "LIC-1" not in response.content.decode()


@pytest.mark.parametrize(
    ("permissions", "page", "unsaved"),
    [((), 403, 403), (("view_plan",), 200, 403), (("view_plan", "change_plan"), 200, 200)],
)
def test_pages_are_for_those_who_may_see_plans(client_with, permissions, page, unsaved):
    client = client_with(*permissions)
    assert client.get(PAGE).status_code == page
    assert client.get(UNSAVED).status_code == unsaved
    assert client.post(UNSAVED, form(RULE)).status_code == unsaved


def test_strangers_are_sent_to_the_log_in(client):
    assert client.get(PAGE).status_code == 302


def test_what_is_pasted_is_escaped(admin_client):
    response = admin_client.get(PAGE, {"plan": "<b>", "asked": "repository:<script>:pull"})
    assert "<script>:pull" not in response.content.decode()
    assert "<b>" not in response.content.decode()


def test_simulating_changes_nothing(admin_client):
    before = Issuance.objects.count(), CatalogueRevision.objects.count()
    admin_client.get(PAGE, {"plan": "community", "asked": PUBLIC})
    assert (Issuance.objects.count(), CatalogueRevision.objects.count()) == before


@pytest.fixture
def plan():
    plan = Plan.objects.create(name="team")
    plan.rules.create(pattern="team/**", actions=["pull"])
    return plan


def unsaved_form(plan, **changes):
    rule = plan.rules.get()
    return form(RULE | {"id": rule.pk, "plan": plan.pk, "services": ""} | changes, initial=1)


def ask(client, response, **question):
    return client.post(UNSAVED, {"draft": response.context["draft"].signed} | question)


def test_simulates_a_plan_that_is_not_saved(admin_client, plan):
    data = unsaved_form(plan, pattern="other/**") | {"name": "renamed"}
    response = admin_client.post(f"{UNSAVED}?plan={plan.pk}", data)
    assert results(response) == []
    assert response.context["form"]["plan"].value() == "renamed"
    asked = "repository:other/app:pull"
    found = result(ask(admin_client, response, plan="renamed", asked=asked))
    assert (outcome(found), found["source"]) == (asked, "unsaved")
    found = result(ask(admin_client, response, plan="team", asked=asked))
    assert outcome(found) == "plan_unknown"
    plan.refresh_from_db()
    assert (plan.name, plan.rules.get().pattern) == ("team", "team/**")


def test_simulates_a_plan_that_is_not_added_yet(admin_client):
    response = admin_client.post(UNSAVED, form(RULE, name="new"))
    asked = "repository:team/app:pull"
    assert outcome(result(ask(admin_client, response, plan="new", asked=asked))) == asked
    assert not Plan.objects.filter(name="new").exists()


def test_rules_that_are_to_be_deleted_do_not_count(admin_client, plan):
    response = admin_client.post(f"{UNSAVED}?plan={plan.pk}", unsaved_form(plan, DELETE="on"))
    assert response.context["draft"].entry["rules"] == []


def test_who_may_not_see_rules_leaves_them_as_they_are(client_with, plan):
    client = client_with("view_plan", "change_plan")
    response = client.post(f"{UNSAVED}?plan={plan.pk}", form(name="renamed"))
    assert response.context["draft"].entry == {
        "name": "renamed",
        "rules": [{"repositories": "team/**", "actions": ["pull"]}],
    }


def test_says_what_is_wrong_with_the_form(admin_client, plan):
    data = unsaved_form(plan, pattern="Team") | {"name": "a b"}
    response = admin_client.post(f"{UNSAVED}?plan={plan.pk}", data)
    problems = response.context["problems"]
    assert [problem.partition(": ")[0] for problem in problems] == ["Name", "Rule 1, pattern"]


@pytest.mark.parametrize("draft", ["", "x", "eyJhIjoxfQ:1:x"])
def test_a_draft_that_was_not_signed_here_is_refused(admin_client, draft):
    response = admin_client.post(UNSAVED, {"draft": draft, "plan": "team"})
    assert "cannot be read any more" in response.context["problems"][0]


def test_the_plans_page_has_the_button(admin_client, plan):
    page = admin_client.get(f"{PLANS}{plan.pk}/change/").content.decode()
    assert f'formaction="{UNSAVED}?plan={plan.pk}"' in page
    assert f'formaction="{UNSAVED}"' in admin_client.get(f"{PLANS}add/").content.decode()
