"""What each job sees: no button that would be refused, and a refusal for who types the address."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.acting import HISTORY, LICENCES, PLANS
from tests.browser.conftest import log_in

CHANGING = re.compile(
    r"(add|save|delete|revoke|reinstate|restore|apply|show the differences|go)\b", re.IGNORECASE
)
LOOKED_AT = [
    "/admin/",
    PLANS,
    f"{PLANS}1/change/",
    HISTORY,
    f"{HISTORY}1/change/",
    "/admin/catalogue/",
    LICENCES,
    f"{LICENCES}1/change/",
    "/admin/simulate/",
]
PLANS_CHANGED = [
    f"{PLANS}add/",
    f"{PLANS}1/delete/",
    f"{HISTORY}1/restore/",
]
LICENCES_CHANGED = [
    f"{LICENCES}add/",
    f"{LICENCES}1/delete/",
    f"{LICENCES}revoke-many/",
    f"{LICENCES}reinstate-many/",
]
LOGS = ["/admin/issuances/issuance/", "/admin/people/activity/"]
USERS = ["/admin/auth/user/", "/admin/auth/user/add/", "/admin/auth/group/"]

# Role: pages that it may not see, and how the buttons and links begin by which it may change.
ROLES: dict[str, tuple[list[str], set[str]]] = {
    "viewer": ([*PLANS_CHANGED, *LICENCES_CHANGED, *LOGS, *USERS], set()),
    "auditor": ([*PLANS_CHANGED, *LICENCES_CHANGED, *USERS], set()),
    "catalogue-editor": (
        [*LICENCES_CHANGED, *LOGS, *USERS],
        {
            "add",
            "add a",
            "add plan",
            "add another",
            "delete",
            "go",
            "restore the",
            "save",
            "show the",
        }
        | {"save and"},
    ),
    "licence-manager": (
        [*PLANS_CHANGED, *LOGS, *USERS],
        {"add", "add revoked", "go", "reinstate", "reinstate many", "revoke many", "save"}
        | {"save and"},
    ),
}


def changing(page):
    """How all links and buttons begin by which something could be changed: two words of each."""
    found = page.locator("#container :is(a, button, input[type=submit]):visible")
    names = found.evaluate_all("all => all.map(one => (one.innerText || one.value || '').trim())")
    return {" ".join(name.lower().split()[:2]) for name in names if CHANGING.match(name)}


def seen_by(page, role):
    log_in(page, role)
    seen = set()
    for path in LOOKED_AT:
        assert page.goto(path).status == 200, path
        seen |= changing(page)
    return seen


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_shown_what_it_may_do_and_nothing_else(page, role):
    assert seen_by(page, role) == ROLES[role][1]


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_refused_at_the_address_of_what_it_may_not_do(page, role):
    log_in(page, role)
    for path in ROLES[role][0]:
        assert page.goto(path).status == 403, path
        expect(
            page.get_by_role("link", name=re.compile("overview", re.IGNORECASE)).first
        ).to_be_attached()
