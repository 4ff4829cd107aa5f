"""explain: the same decision as /token, with what led to it."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from licences.models import RevokedLicence
from plans.models import Plan

pytestmark = pytest.mark.usefixtures("catalogue")


def explain(*arguments):
    """Whether it says that a request is refused, and its lines."""
    out = StringIO()
    call_command("explain", *arguments, stdout=out)
    lines = out.getvalue().splitlines()
    return lines[-1].startswith("refused"), lines


PUBLIC = "repository:stella-ops/public/app:pull"
PRIVATE = "repository:stella-ops/private/app:push"
INTERNAL = "repository:stella-ops/internal/app:pull,push,delete"
MIRROR = "repository:mirror/app:pull"

# Plan, licence, scopes, service.
CASES = {
    "granted": ("community", None, [PUBLIC], None),
    "nothing asked": ("community", None, [], None),
    "nothing granted": ("community", None, [PRIVATE], None),
    "some granted": ("community", None, [PRIVATE, PUBLIC], None),
    "some actions": ("enterprise", "LIC-1", [INTERNAL], None),
    "catalog": ("enterprise", "LIC-1", ["registry:catalog:*"], None),
    "every action": ("enterprise", "LIC-1", ["repository:stella-ops/app:*"], None),
    "several in one": ("enterprise", "LIC-1", [f"{PUBLIC} {PRIVATE}"], None),
    "other service": ("enterprise", "LIC-1", [MIRROR], "mirror.example.com"),
    "not for this service": ("enterprise", "LIC-1", [MIRROR], None),
    "unknown service": ("community", None, [PUBLIC], "evil.example.com"),
    "revoked": ("community", "LIC-0007", [PUBLIC], None),
    "revoked in another spelling": ("community", " lic-0007", [PUBLIC], None),
    "no licence": ("enterprise", None, [PUBLIC], None),
    "empty licence": ("community", "", [PUBLIC], None),
    "blank licence": ("enterprise", "  ", [PUBLIC], None),
    "unprintable licence": ("community", "LIC\u200b-0007", [PUBLIC], None),
    "long licence": ("community", "L" * 256, [PUBLIC], None),
    "unknown plan": ("gold", None, [PUBLIC], None),
    "no plan": (None, None, [PUBLIC], None),
    "empty plan": ("", None, [PUBLIC], None),
    "unprintable plan": ("comm\tunity", None, [PUBLIC], None),
    "disabled plan": ("disabled", None, [PUBLIC], None),
    "no scope": ("community", None, ["pull"], None),
    "no name": ("community", None, ["repository:Stella:pull"], None),
    "other type": ("enterprise", "LIC-1", ["registry(plugin):catalog:*", "a:b:c"], None),
}


@pytest.mark.parametrize("case", CASES)
def test_decides_as_the_token_endpoint_does(authority, get_token, case):
    Plan.objects.create(name="disabled", enabled=False)
    plan, licence, scopes, service = CASES[case]
    options = [f"--{name}={value}" for name, value in _options(plan, licence, service)]
    _, lines = explain(*options, *scopes)
    asked = {"service": service} if service else {}
    response = get_token(authority.token(plan, licence), *scopes, **asked)
    if response.status_code == 200:
        assert lines[-1] == f"granted: {response.json()['scope'] or 'an empty token'}"
    else:
        (error,) = response.json()["errors"]
        assert lines[-1] == f"refused ({error['detail']['reason']}): {error['message']}"


def test_the_cases_reach_every_outcome():
    """Of insufficient_scope explain knows nothing: it assumes the scopes that are required."""
    Plan.objects.create(name="disabled", enabled=False)
    codes = set()
    for plan, licence, scopes, service in CASES.values():
        options = [f"--{name}={value}" for name, value in _options(plan, licence, service)]
        codes.add(explain(*options, *scopes)[1][-1].partition(":")[0])
    assert codes == {
        "granted",
        "refused (nothing_granted)",
        "refused (service_not_allowed)",
        "refused (licence_revoked)",
        "refused (licence_malformed)",
        "refused (licence_required)",
        "refused (plan_unknown)",
    }


def test_shows_the_rules_that_decide():
    _, lines = explain("--plan=enterprise", "--licence=LIC-1", INTERNAL, MIRROR)
    assert lines == [
        "catalogue revision 1, service registry.example.com",
        "check insufficient_scope: passed",
        "check service_not_allowed: passed",
        "check licence_malformed: passed",
        "check licence_revoked: passed",
        "check plan_unknown: passed",
        "check licence_required: passed",
        "repository:stella-ops/internal/app:delete,pull,push: pull",
        "  rule of plan enterprise: allow pull, push on stella-ops/**",
        "  rule of plan enterprise: deny push, delete on stella-ops/internal/**",
        "  nearest rule: allow pull, push on stella-ops/**; it allows only pull, push; another rule"
        " takes it away: deny push, delete on stella-ops/internal/**",
        "repository:mirror/app:pull: nothing",
        "  no rule of plan enterprise speaks of it",
        "  nearest rule: allow pull on mirror/** for mirror.example.com; it is for"
        " mirror.example.com only",
        "granted: repository:stella-ops/internal/app:pull",
    ]


def test_shows_the_check_that_refuses_and_none_after_it():
    refused, lines = explain("--plan=community", "--licence=LIC-0007", PUBLIC)
    assert refused
    assert lines[1:-1] == [
        "check insufficient_scope: passed",
        "check service_not_allowed: passed",
        "check licence_malformed: passed",
        "check licence_revoked: refused",
    ]


@pytest.mark.parametrize(
    ("plan", "refused"), [(None, False), ("gold", True)], ids=["no claim", "a claim"]
)
def test_uses_the_default_plan_for_callers_without_one(settings, plan, refused):
    settings.PLANS_DEFAULT = "community"
    options = [] if plan is None else [f"--plan={plan}"]
    assert explain(*options, PUBLIC)[0] == refused


def test_follows_the_setting_for_empty_tokens(settings):
    assert explain("--plan=community", PRIVATE)[0]
    settings.REGISTRY_ON_NOTHING_GRANTED = "empty_token"
    refused, lines = explain("--plan=community", PRIVATE)
    assert (refused, lines[-1]) == (False, "granted: an empty token")


def test_sees_the_newest_catalogue():
    assert not explain("--plan=community", "--licence=LIC-1", PUBLIC)[0]
    RevokedLicence.objects.create(licence="LIC-1")
    refused, lines = explain("--plan=community", "--licence=LIC-1", PUBLIC)
    assert refused
    assert lines[0].startswith("catalogue revision 2,")


def test_explains_by_an_earlier_revision():
    Plan.objects.get(name="community").delete()
    refused, lines = explain("--plan=community", PUBLIC)
    assert (refused, lines[0]) == (True, "catalogue revision 3, service registry.example.com")
    refused, lines = explain("--plan=community", "--revision=1", PUBLIC)
    assert (refused, lines[0]) == (False, "catalogue revision 1, service registry.example.com")


def test_explains_a_request_of_the_log_again(authority, get_token):
    request_id = get_token(authority.token("community", "LIC-1"), PRIVATE)["X-Request-ID"]
    before = explain("--plan=community", "--licence=LIC-1", PRIVATE)
    assert explain("--request", request_id) == before
    assert before[0]


def test_prints_json(authority, get_token):
    out = StringIO()
    call_command("explain", "--plan=community", "--json", PRIVATE, stdout=out)
    found = json.loads(out.getvalue())
    assert found["refusal"]["code"] == "nothing_granted"
    assert [check["outcome"] for check in found["checks"]] == ["passed"] * 6


WRONG = {
    "no such revision": (["--revision=99"], "there is no catalogue revision 99; the newest is 1"),
    "no such request": (["--request=nothing"], "the issuance log has no request nothing"),
    "two questions": (["--request=nothing", "--plan=community"], "--request says it all"),
    "too many scopes": ([PUBLIC] * 65, "the limit is 64"),
}


@pytest.mark.parametrize(("options", "message"), WRONG.values(), ids=WRONG)
def test_says_what_is_wrong_with_the_question(options, message):
    with pytest.raises(CommandError, match=message):
        explain(*options)


def test_writes_no_row(django_assert_num_queries):
    explain("--plan=community", PUBLIC)
    with django_assert_num_queries(1):
        explain("--plan=community", PUBLIC)


def _options(plan, licence, service):
    named = {"plan": plan, "licence": licence, "service": service}
    return [(name, value) for name, value in named.items() if value is not None]
