"""By which catalogue a request is simulated, and which requests there are to simulate."""

from __future__ import annotations

import pytest

from licences.models import RevokedLicence
from plans.models import CatalogueRevision, Plan, PlanRule
from plans.snapshots import plan_entry
from registry_token.errors import MalformedRequest
from registry_token.simulation import simulate
from registry_token.simulation_checks import PASSED, REFUSED
from registry_token.simulation_sources import (
    Unanswerable,
    as_of,
    asked_before,
    asked_by,
    with_plan,
)
from tests.test_simulation import PUBLIC, PUSH, check, simulated


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
