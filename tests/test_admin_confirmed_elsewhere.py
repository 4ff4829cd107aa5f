"""Restoring a revision and loading a file take as much care as a plan's own page: who would lose
something is named, and it has to be agreed to.
"""

from __future__ import annotations

from typing import Any

import pytest

from licences.models import RevokedLicence
from plans.models import CatalogueRevision, Plan, PlanRule
from plans.revisions import catalogue_change

pytestmark = pytest.mark.usefixtures("catalogue")

FILE, RESTORE = "/admin/catalogue/", "/admin/plans/cataloguerevision/{}/restore/"
PULL, PUSH = "repository:team/app:pull", "repository:team/app:pull,push"
NARROW = "plans: [{name: team, rules: [{repositories: team/**, actions: [pull]}]}]"
DISABLED = (
    "plans: [{name: team, enabled: false, rules: [{repositories: team/**, actions: [pull, push]}]}]"
)
WIDE = "plans: [{name: team, rules: [{repositories: team/**, actions: ['*']}]}]"


@pytest.fixture
def used(authority, get_token):
    """Revision 2 has plan team, which may pull; since 3 also push, and two callers do."""
    with catalogue_change(actor="alice", source="test"):
        plan = Plan.objects.create(name="team")
        PlanRule.objects.create(plan=plan, pattern="team/**", actions=["pull"])
    with catalogue_change(actor="alice", source="test"):
        PlanRule.objects.create(plan=plan, pattern="team/**", actions=["push"])
    for subject in ("bob", "carol"):
        token = authority.token("team", sub=subject)
        assert get_token(token, PUSH).status_code == 200


def number() -> int:
    return CatalogueRevision.objects.latest("number").number


class Preview:
    """The page with the differences, and what is sent from it."""

    def __init__(self, client: Any, path: str, form: dict[str, Any] | None = None) -> None:
        self.client, self.path, self.form = client, path, form
        self.page = client.get(path) if form is None else client.post(path, form)
        self.html = self.page.content.decode()

    @property
    def fields(self) -> list[str]:
        return list(self.page.context["form"].fields)

    def send(self, **typed: str) -> Any:
        own = {"seen": self.page.context["form"]["seen"].value(), "reason": "order 4711"}
        carried = (self.form or {}) | ({"apply": "yes"} if self.form else {})
        return self.client.post(self.path, carried | own | typed)


def loading(client: Any, text: str, **more: str) -> Preview:
    return Preview(client, FILE, {"text": text, **more})


def restoring(client: Any, revision: int) -> Preview:
    return Preview(client, RESTORE.format(revision))


LOSSES = {
    "file that narrows": (lambda client: loading(client, NARROW), {}),
    "file that disables": (lambda client: loading(client, DISABLED), {}),
    "restored revision that narrows": (lambda client: restoring(client, 2), {}),
    "restored revision without the plan": (lambda client: restoring(client, 1), {"typed": "team"}),
    "file that removes it": (
        lambda client: loading(client, "plans: [{name: community}]", prune="on"),
        {"typed": "2"},
    ),
}


@pytest.mark.parametrize("case", LOSSES)
def test_names_who_would_lose_and_asks(admin_client, used, case):
    look, typed = LOSSES[case]
    preview, before = look(admin_client), number()
    assert "2 requests would be refused or get less" in preview.html
    assert "by 2 callers." in preview.html
    for part in ("bob", "carol", "repository:team/app:"):
        assert part in preview.html
    refused = preview.send(**typed)
    assert "Tick the box if this is wanted" in refused.content.decode()
    assert "order 4711" in refused.content.decode()
    assert number() == before
    assert preview.send(agreed="on", **typed).status_code == 302
    assert number() == before + 1


@pytest.mark.parametrize("typed", ["", "tea", "2"])
def test_a_plan_goes_only_when_its_name_is_typed(admin_client, used, typed):
    preview, before = restoring(admin_client, 1), number()
    response = preview.send(agreed="on", typed=typed)
    assert "Type exactly team, or go back to delete nothing" in response.content.decode()
    assert number() == before


def test_a_refusal_is_told_in_words_beside_its_code(admin_client, used):
    html = loading(admin_client, DISABLED).html
    assert "Callers of plan team will be refused." in html
    assert "there is no such plan, or it is disabled <code>plan_unknown</code>" in html


@pytest.mark.parametrize("text", [WIDE, "plans: [{name: new}]"], ids=["widened", "added"])
def test_what_takes_nothing_away_needs_no_more_than_a_reason(admin_client, used, text):
    preview = loading(admin_client, text)
    assert "none would be refused or get less" in preview.html
    assert preview.fields == ["reason", "seen"]
    assert preview.send().status_code == 302


def test_a_plan_that_nobody_uses_can_be_narrowed_without_more(admin_client):
    text = "plans: [{name: enterprise, licence_required: true, rules: []}]"
    preview = loading(admin_client, text)
    assert "agreed" not in preview.fields
    assert preview.send().status_code == 302


def test_an_agreement_to_older_differences_does_not_count(admin_client, used):
    preview = loading(admin_client, NARROW)
    Plan.objects.create(name="new")
    again = preview.send(agreed="on")
    assert again.status_code == 200
    assert "Somebody changed the catalogue meanwhile" in again.content.decode()
    assert not again.context["form"].is_bound
    assert PlanRule.objects.filter(plan__name="team").count() == 2


def test_a_file_that_revokes_says_who_uses_the_licences(admin_client, authority, get_token):
    assert get_token(authority.token("enterprise", "LIC-1")).status_code == 200
    html = loading(admin_client, "revoked_licences: [{licence: lic-1}]").html
    assert "1 request by 1 caller." in html
    assert "Tokens issued before are accepted until" in html
    RevokedLicence.objects.create(licence="LIC-1")
    assert "Who uses" not in loading(admin_client, "revoked_licences: [{licence: lic-1}]").html
