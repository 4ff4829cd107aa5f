"""Simulating a request: the decision of /token, each check with what it looked at, the rules, and
the rule that comes nearest to what was not granted.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licences.models import RevokedLicence
from plans.models import CatalogueRevision, Plan, PlanRule
from plans.snapshots import plan_entry
from registry_token.access import parse_scope
from registry_token.entitlement import CHECKS
from registry_token.errors import MalformedRequest
from registry_token.nearest import nearest_rule
from registry_token.simulation import simulate
from registry_token.simulation_checks import LOOKED_AT, NOT_REACHED, PASSED, REFUSED
from registry_token.simulation_sources import (
    CURRENT,
    Unanswerable,
    as_of,
    asked_before,
    asked_by,
    with_plan,
)
from tests.test_entitlement import rule

SERVICE = "registry.example.com"
PUBLIC = "repository:stella-ops/public/app:pull"
PUSH = "repository:stella-ops/public/app:push"


def simulated(*scopes, source=CURRENT, **question):
    return simulate(asked_by(scopes=scopes, **question), source)


def check(simulation, code):
    (found,) = [check for check in simulation.checks if check.code == code]
    return found


def test_every_check_tells_what_it_looks_at():
    assert list(LOOKED_AT) == [code for code, _ in CHECKS]


REFUSED_BY: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "insufficient_scope": (
        {"plan": "community", "held": ["openid"]},
        {"required": ["registry.token.issue"], "held": ["openid"]},
    ),
    "service_not_allowed": (
        {"plan": "community", "service": "other.example.com"},
        {"service": "other.example.com", "configured": [SERVICE, "mirror.example.com"]},
    ),
    "licence_malformed": ({"plan": "community", "licence": "a\tb"}, {"licence": ""}),
    "licence_revoked": (
        {"plan": "community", "licence": "lic-0007"},
        {"licence": "lic-0007", "revoked": True},
    ),
    "plan_unknown": (
        {"plan": "gold"},
        {"plan": "gold", "named_by": "claim", "state": "unknown"},
    ),
    "licence_required": ({"plan": "enterprise"}, {"licence": None, "required": True}),
}


@pytest.mark.parametrize("code", REFUSED_BY)
@pytest.mark.usefixtures("catalogue")
def test_shows_what_the_check_that_refuses_looked_at(code):
    question, looked_at = REFUSED_BY[code]
    simulation = simulated(PUBLIC, **question)
    assert simulation.refusal is not None
    assert simulation.refusal["code"] == code
    assert check(simulation, code).looked_at == looked_at
    codes = [code for code, _ in CHECKS]
    position = codes.index(code)
    outcomes = [PASSED] * position + [REFUSED] + [NOT_REACHED] * (len(codes) - position - 1)
    assert [check.outcome for check in simulation.checks] == outcomes
    assert all(not check.looked_at for check in simulation.checks[position + 1 :])
    assert (simulation.granted, simulation.resources) == ((), ())


def test_the_table_reaches_every_check():
    assert list(REFUSED_BY) == [code for code, _ in CHECKS]


@pytest.mark.usefixtures("catalogue")
def test_a_granted_request_passes_every_check():
    simulation = simulated(PUBLIC, plan="community", licence="LIC-1")
    assert {check.outcome for check in simulation.checks} == {PASSED}
    assert check(simulation, "licence_revoked").looked_at == {"licence": "LIC-1", "revoked": False}
    assert check(simulation, "plan_unknown").looked_at["state"] == "enabled"
    (resource,) = simulation.resources
    assert (resource.asked, resource.granted, resource.nearest) == (PUBLIC, ("pull",), None)
    assert [rule.text for rule in resource.rules] == ["allow pull on stella-ops/public/**"]


@pytest.mark.usefixtures("catalogue")
def test_tells_a_disabled_plan_from_an_unknown_one():
    Plan.objects.create(name="old", enabled=False)
    for source in (CURRENT, as_of(2)):
        looked_at = check(simulated(plan="old", source=source), "plan_unknown").looked_at
        assert looked_at["state"] == "disabled"
    looked_at = check(simulated(plan="old", source=as_of(1)), "plan_unknown").looked_at
    assert looked_at["state"] == "unknown"


@pytest.mark.usefixtures("catalogue")
def test_tells_where_the_plan_comes_from(settings):
    assert check(simulated(), "plan_unknown").looked_at["plan"] is None
    settings.PLANS_DEFAULT = "community"
    assert check(simulated(), "plan_unknown").looked_at == {
        "plan": "community",
        "named_by": "plans.default",
        "state": "enabled",
    }


@pytest.mark.usefixtures("catalogue")
def test_is_plain_data():
    simulation = simulated(PUBLIC, PUSH, "nonsense", plan="community")
    assert json.loads(json.dumps(simulation.as_dict()))["service"] == SERVICE


@pytest.mark.usefixtures("catalogue")
def test_decides_by_an_earlier_revision_and_the_licences_of_now():
    Plan.objects.get(name="community").delete()
    RevokedLicence.objects.create(licence="LIC-1")
    now = simulated(PUBLIC, plan="community")
    assert (now.revision, now.source, now.granted) == (4, "current", ())
    then = simulated(PUBLIC, plan="community", source=as_of(1))
    assert (then.revision, then.source, then.granted) == (1, "revision", (PUBLIC,))
    then = simulated(PUBLIC, plan="community", licence="LIC-1", source=as_of(1))
    assert then.refusal is not None
    assert then.refusal["code"] == "licence_revoked"


@pytest.mark.usefixtures("catalogue")
def test_decides_by_a_plan_that_is_not_saved():
    rules = [PlanRule(pattern="new/**", actions=["pull"])]
    new = with_plan(plan_entry(Plan(name="community"), rules))
    assert simulated("repository:new/app:pull", plan="community", source=new).granted
    assert not simulated(PUBLIC, plan="community", source=new).granted
    assert simulated(PUBLIC, plan="enterprise", licence="L", source=new).granted
    assert not simulated("repository:new/app:pull", plan="community").granted


@pytest.mark.usefixtures("catalogue")
def test_a_renamed_plan_leaves_no_old_one():
    renamed = with_plan(plan_entry(Plan(name="public"), []), instead_of="community")
    assert check(simulated(plan="public", source=renamed), "plan_unknown").outcome == PASSED
    refused = check(simulated(plan="community", source=renamed), "plan_unknown")
    assert (refused.outcome, refused.looked_at["state"]) == (REFUSED, "unknown")


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize("number", [-1, 99, 2**70])
def test_a_revision_that_does_not_exist_cannot_be_asked(number):
    with pytest.raises(Unanswerable, match="there is no catalogue revision"):
        as_of(number)


@pytest.mark.usefixtures("catalogue")
def test_a_revision_whose_plans_were_not_kept_cannot_be_asked():
    CatalogueRevision.objects.update(snapshot=None)
    with pytest.raises(Unanswerable, match="did not keep the plans"):
        as_of(1)


@pytest.mark.usefixtures("catalogue")
def test_a_request_of_the_log_is_asked_again(authority, get_token):
    response = get_token(authority.token("community", "LIC-1", sub="bob"), PUSH)
    simulation = simulate(asked_before(response["X-Request-ID"]))
    assert simulation.refusal is not None
    (error,) = response.json()["errors"]
    assert simulation.refusal["message"] == error["message"]
    assert (simulation.plan, simulation.licence) == ("community", "LIC-1")


@pytest.mark.django_db
@pytest.mark.parametrize("request_id", ["", "nothing", "a\0b", "x" * 1000])
def test_a_request_that_is_not_in_the_log_cannot_be_asked(request_id):
    with pytest.raises(Unanswerable, match="the issuance log has no request"):
        asked_before(request_id)


def test_the_limits_of_a_request_hold():
    with pytest.raises(MalformedRequest, match="the limit is 64"):
        asked_by(scopes=[PUBLIC] * 65)


APP = rule("acme/*", "pull")
NEAREST = {
    "another action": ([rule("acme/**", "pull")], "acme/app:push", "it allows only pull"),
    "another service": (
        [rule("acme/**", "pull", services=["m.example.com"])],
        "acme/app:pull",
        "it is for m.example.com only",
    ),
    "both": (
        [rule("acme/**", "pull", services=["m.example.com"])],
        "acme/app:push",
        "it allows only pull; it is for m.example.com only",
    ),
    "a level more": (
        [APP],
        "acme/a/b:pull",
        "its pattern acme/* has 2 parts, acme/a/b has 3",
    ),
    "a level less": ([APP], "acme:pull", "its pattern acme/* has 2 parts, acme has 1"),
    "nothing below": ([rule("acme/**", "pull")], "acme:pull", "acme/** wants more below acme"),
    "a misspelt part": (
        [rule("stella-ops/app", "pull")],
        "stela-ops/app:pull",
        "wants stella-ops as part 1, where the name has stela-ops",
    ),
    "another part": (
        [rule("acme/app", "pull")],
        "acme/web:pull",
        "wants app as part 2, where the name has web",
    ),
    "another end": ([rule("**/app", "pull")], "a/apps:pull", "**/app does not match a/apps"),
    "a misspelt name": ([rule("nginx", "pull")], "nginxx:pull", "wants nginx as part 1"),
    "a deny rule": (
        [rule("acme/**", "pull", "push"), rule("acme/app", "push", effect="deny")],
        "acme/app:push",
        "another rule takes it away: deny ('push',) on acme/app",
    ),
    "a deny rule and everything": (
        [rule("acme/**", "*"), rule("acme/app", "push", effect="deny")],
        "acme/app:*",
        "another rule takes it away: deny ('push',) on acme/app",
    ),
}


@pytest.mark.parametrize(("rules", "asked", "lacks"), NEAREST.values(), ids=NEAREST)
def test_says_what_the_nearest_rule_lacks(rules, asked, lacks):
    found = nearest_rule(parse_scope(f"repository:{asked}"), tuple(rules), SERVICE)
    assert found.rule == rules[0].text
    assert lacks in "; ".join(found.lacks)


CHOICES = {
    "what matches before what does not": (["acme/app", "acme/**"], "acme/web:push", "acme/**"),
    "the most parts in common": (["acme/x/y", "acme/a/c"], "acme/a/b:pull", "acme/a/c"),
    "then the most alike": (["acme/xyz", "acme/apq"], "acme/app:pull", "acme/apq"),
    "from the right, too": (["x/y/z", "b/team/app"], "a/team/app:pull", "b/team/app"),
}


@pytest.mark.parametrize(("patterns", "asked", "nearest"), CHOICES.values(), ids=CHOICES)
def test_chooses_the_nearest_rule(patterns, asked, nearest):
    rules = tuple(rule(pattern, "pull") for pattern in patterns)
    found = nearest_rule(parse_scope(f"repository:{asked}"), rules, SERVICE)
    assert found.rule == rule(nearest, "pull").text


def test_prefers_the_rule_that_lacks_less():
    rules = (rule("a/**", "pull"), rule("a/*", "pull", "push"), rule("a/b", "push"))
    found = nearest_rule(parse_scope("repository:a/b:delete,push"), rules, SERVICE)
    assert found.rule == rules[1].text
    assert nearest_rule(parse_scope("repository:a/b:push"), rules, SERVICE).lacks == ()


NO_RULE = {
    "repository:other/thing:pull": "no rule of the plan comes near other/thing",
    "registry:catalog:*": "no rule of the plan comes near catalog",
    "nonsense": "'nonsense' is not TYPE:NAME:ACTIONS",
    "cnab:acme/app:pull": "'cnab' is not a type that rules speak of",
    "repository:Acme:pull": "'Acme' is not a repository name",
    "repository:acme/app:metadata_read": "metadata_read: unknown",
}


@pytest.mark.parametrize(("scope", "message"), NO_RULE.items(), ids=NO_RULE)
def test_says_why_no_rule_is_near(scope, message):
    found = nearest_rule(parse_scope(scope), (rule("acme/**", "*"),), SERVICE)
    assert found.rule == ""
    assert message in found.lacks[0]


@pytest.mark.usefixtures("catalogue")
def test_every_resource_that_is_not_wholly_granted_has_a_nearest_rule():
    simulation = simulated(PUBLIC, PUSH, "nonsense", "repository:a:*", plan="community")
    assert [resource.nearest is None for resource in simulation.resources] == [False] * 3
    assert simulated(PUBLIC, plan="community").resources[0].nearest is None


segments = st.lists(st.sampled_from(["a", "b", "ab", "*", "**", "a*"]), min_size=1, max_size=4)
names = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=4)


@given(st.lists(segments, max_size=5), names)
def test_a_rule_that_lacks_nothing_grants(patterns, name):
    rules = tuple(rule("/".join(pattern), "pull") for pattern in patterns)
    asked = parse_scope(f"repository:{'/'.join(name)}:pull")
    found = nearest_rule(asked, rules, SERVICE)
    matching = [r for r in rules if r.matches(type="repository", name=asked.name, service=SERVICE)]
    assert bool(matching) == (found.lacks == ())
