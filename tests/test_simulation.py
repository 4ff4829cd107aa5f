"""Simulating a request: the decision of /token, and each check with what it looked at."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plans.models import Plan
from registry_token.entitlement import CHECKS
from registry_token.simulation import simulate
from registry_token.simulation_checks import LOOKED_AT, NOT_REACHED, PASSED, REFUSED
from registry_token.simulation_sources import (
    CURRENT,
    as_of,
    asked_by,
)
from tests.conftest import SERVICE

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
def test_every_resource_that_is_not_wholly_granted_has_a_nearest_rule():
    simulation = simulated(PUBLIC, PUSH, "nonsense", "repository:a:*", plan="community")
    assert [resource.nearest is None for resource in simulation.resources] == [False] * 3
    assert simulated(PUBLIC, plan="community").resources[0].nearest is None
