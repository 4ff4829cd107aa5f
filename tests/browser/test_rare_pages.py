"""Pages that take something to get to: confirmations, previews, problems. Readable like all others,
in light and dark, and no wider than a telephone.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acting import HISTORY, LICENCES, PLANS
from tests.browser.conftest import axe_findings, log_in

LOSS = "plans: [{name: rare, rules: [{repositories: rare/x, actions: [pull]}]}]"
MADE = "plans: [{name: rare, rules: [{repositories: rare/**, actions: [pull, push]}]}]"


@pytest.fixture(scope="session")
def rare(site):
    """A plan in use, which tests look at but do not change."""
    file = site.folder / "rare.yaml"
    file.write_text(MADE)
    site.manage("load_catalogue", str(file))
    assert site.token("rare", "repository:rare/app:pull,push") == 200


def locked_out(page: Page) -> str:
    for attempt in range(5):
        page.goto("/admin/login/")
        page.get_by_label("Username").fill("nobody")
        page.get_by_label("Password").fill(f"wrong {attempt}")
        page.get_by_role("button", name="Log in").click()
    return "Too many wrong passwords"


def sso_problem(page: Page) -> str:
    page.goto("/admin/sso/callback/?code=x&state=y")
    return "This log-in was not begun here"


def not_allowed(page: Page) -> str:
    log_in(page, "viewer")
    page.goto("/admin/auth/user/")
    return "You are logged in as viewer, who may not"


def not_found(page: Page) -> str:
    log_in(page)
    page.goto("/admin/plans/nothing/")
    return "There is no page at this address."


def narrowing(page: Page) -> str:
    log_in(page)
    page.goto(f"{PLANS}?q=rare")
    page.get_by_role("link", name="rare", exact=True).click()
    page.locator("#id_rules-0-pattern").fill("rare/x")
    page.get_by_label("Why").fill("a look")
    page.get_by_role("button", name="Save", exact=True).click()
    return "Change plan rare?"


def deleting(page: Page) -> str:
    log_in(page)
    page.goto(f"{PLANS}?q=rare")
    page.get_by_role("link", name="rare", exact=True).click()
    page.get_by_role("link", name="Delete", exact=True).click()
    return "Delete plan rare?"


def in_bulk(page: Page) -> str:
    log_in(page)
    page.goto(f"{PLANS}?q=rare")
    page.get_by_role("checkbox", name=re.compile("Select all")).check()
    page.get_by_role("combobox", name="Action").select_option("disable")
    page.get_by_role("button", name="Go", exact=True).click()
    return "Disable plan rare?"


def wrong_plan(page: Page) -> str:
    log_in(page)
    page.goto(f"{PLANS}add/")
    page.locator(".add-row a").click()
    page.get_by_label("Name").fill("-")
    page.get_by_label("Why").fill("a look")
    page.locator("#id_rules-0-pattern").fill("a//b")
    page.get_by_role("button", name="Save", exact=True).click()
    return "tick one or more"


def matching(page: Page) -> str:
    log_in(page)
    page.goto("/admin/matches/")
    page.get_by_label("Pattern").fill("rare/**")
    page.get_by_role("button", name="Show").click()
    return "rare/app"


def loading(page: Page) -> str:
    log_in(page)
    page.goto("/admin/catalogue/")
    page.get_by_label("Or the file's text").fill(LOSS)
    page.get_by_role("button", name="Show the differences").click()
    return "Yes, take this away"


def refusing_a_file(page: Page) -> str:
    log_in(page)
    page.goto("/admin/catalogue/")
    page.get_by_label("Or the file's text").fill("plans: [{name: x, rules: [{repository: a}]}]")
    page.get_by_role("button", name="Show the differences").click()
    return "The file cannot be loaded"


def restoring(page: Page) -> str:
    log_in(page)
    page.goto(f"{HISTORY}1/restore/")
    return "Yes, take this away"


def revoking_many(page: Page) -> str:
    log_in(page)
    page.goto(f"{LICENCES}revoke-many/")
    page.get_by_label("The list").fill("A-1\nA-1\nLIC-0007\nB-1,sold,tomorrow")
    page.get_by_label("Reason").fill("a look")
    page.get_by_role("button", name="Check the list").click()
    return "Malformed, left out: 2"


def reinstating(page: Page) -> str:
    log_in(page)
    page.goto(LICENCES)
    page.get_by_role("checkbox", name=re.compile("Select all")).check()
    page.get_by_role("combobox", name="Action").select_option("reinstate")
    page.get_by_role("button", name="Go", exact=True).click()
    return "no longer refused"


def simulating_a_draft(page: Page) -> str:
    log_in(page)
    page.goto(f"{PLANS}1/change/")
    page.get_by_role("button", name="Simulate with what is in this form").click()
    return "not saved"


WAYS: list[Callable[[Page], str]] = [
    locked_out,
    sso_problem,
    not_allowed,
    not_found,
    narrowing,
    deleting,
    in_bulk,
    wrong_plan,
    matching,
    loading,
    refusing_a_file,
    restoring,
    revoking_many,
    reinstating,
    simulating_a_draft,
]


@pytest.mark.parametrize("page", ["axe narrow"], indirect=True)
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_page_off_the_way_is_accessible_and_narrow(rare, page, way):
    expected = way(page)
    expect(page.get_by_text(expected).first).to_be_attached()
    assert axe_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)  # the colours of links fade over
    assert axe_findings(page, "color-contrast") == []
    back = page.locator("#header a, .breadcrumbs a, #content a")
    expect(back.first).to_be_attached()  # nobody is left without a way on
