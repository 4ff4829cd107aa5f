"""The plan and licence claims of a caller: what is no text never passes for none, and never grants.

A claim that nobody understands is a refusal (403), with a default plan too.
"""

from __future__ import annotations

import json

import pytest

from tests.caller_tokens import PULL, raw_token

pytestmark = pytest.mark.usefixtures("catalogue")

NO_TEXT = [5, 0, 1.5, True, False, [], ["community"], {}, {"name": "community"}]
NO_TEXT += ["\x00", "community\x00", "community\n", "\ud800", "c" * 256, "c" * 300]


def reason(response):
    assert response.status_code == 403, response.content
    [error] = response.json()["errors"]
    assert error["code"] == "DENIED"
    return error["detail"]["reason"]


def answer(authority, get_token, **claims):
    good = authority.claims(**{"stellaops:plan": "community"})
    named = {f"stellaops:{name}": value for name, value in claims.items()}
    return get_token(raw_token(authority, payload=good | named), PULL)


@pytest.mark.parametrize("default", [None, "community"], ids=["no default", "default"])
@pytest.mark.parametrize("plan", [*NO_TEXT, None, ""], ids=lambda plan: json.dumps(plan)[:20])
def test_denies_a_plan_that_is_no_text(plan, default, authority, get_token, settings):
    settings.PLANS_DEFAULT = default
    response = answer(authority, get_token, plan=plan)
    assert reason(response) == "plan_unknown"
    assert "the access token's plan claim is not a plan name" in response.content.decode()


OTHER_PLANS = ["Community", "community ", " community", "*", "communit", "ｃommunity", "None"]


@pytest.mark.parametrize("plan", OTHER_PLANS)
def test_denies_a_plan_of_another_name(plan, authority, get_token, settings):
    settings.PLANS_DEFAULT = "community"
    assert reason(answer(authority, get_token, plan=plan)) == "plan_unknown"


@pytest.mark.parametrize("plan", ["community", "enterprise"])
@pytest.mark.parametrize("licence", NO_TEXT, ids=lambda licence: json.dumps(licence)[:20])
def test_denies_a_licence_that_is_no_text(licence, plan, authority, get_token):
    response = answer(authority, get_token, plan=plan, license=licence)
    assert reason(response) == "licence_malformed"
    assert "the access token's licence claim is not a licence id" in response.content.decode()


@pytest.mark.parametrize("licence", [None, "", " "], ids=json.dumps)
def test_an_empty_licence_is_none(licence, authority, get_token):
    response = answer(authority, get_token, plan="enterprise", license=licence)
    assert reason(response) == "licence_required"
    assert answer(authority, get_token, license=licence).status_code == 200


@pytest.mark.parametrize("claim", ["license", "licence"])
def test_only_the_claim_in_its_spelling_is_the_licence(claim, authority, get_token):
    response = answer(authority, get_token, plan="enterprise", **{claim: "LIC-1"})
    assert response.status_code == (200 if claim == "license" else 403)


@pytest.mark.parametrize("licence", ["LIC-0007", "lic-0007", " LIC-0007 "])
def test_denies_a_revoked_licence_however_it_is_written(licence, authority, get_token):
    response = answer(authority, get_token, plan="enterprise", license=licence)
    assert reason(response) == "licence_revoked"


def test_neither_client_nor_subject_names_a_plan(authority, get_token):
    token = authority.token(sub="enterprise", client_id="enterprise", plan=None)
    assert reason(get_token(token, PULL)) == "plan_unknown"
    assert "names no plan" in get_token(token, PULL).content.decode()
