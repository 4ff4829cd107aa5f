"""What administrators do again and again, click by click."""

from __future__ import annotations

import re

from playwright.sync_api import Page

PLANS, HISTORY = "/admin/plans/plan/", "/admin/plans/cataloguerevision/"
LICENCES = "/admin/licences/revokedlicence/"


def make_plan(page: Page, name: str, pattern: str, *actions: str) -> None:
    """A plan with one rule."""
    page.goto(f"{PLANS}add/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Why").fill(f"order {name}")
    page.locator(".add-row a").click()
    page.locator("#id_rules-0-pattern").fill(pattern)
    for action in actions:
        page.locator(f"input[name=rules-0-actions][value='{action}']").check()
    save(page)


def open_plan(page: Page, name: str) -> None:
    """The page of a plan, from the list."""
    page.goto(f"{PLANS}?q={name}")
    page.get_by_role("link", name=name, exact=True).click()


def save(page: Page) -> None:
    """Save, and be back at the list with a message."""
    page.get_by_role("button", name="Save", exact=True).click()
    at_the_list(page)


def at_the_list(page: Page) -> None:
    """Wait for the list, filtered or not, with the message of a success."""
    page.wait_for_url(re.compile(r"/(plan|revokedlicence)/(\?.*)?$"))
    assert page.locator(".messagelist .success").count() > 0


def confirm(page: Page, **typed: str) -> None:
    """Agree to what the page has named; `typed` by the beginning of a label."""
    for label, text in typed.items():
        page.get_by_label(re.compile(f"^{label}")).fill(text)
    page.get_by_role("button", name="Yes, do it").click()


def newest_revision(page: Page) -> int:
    """The number at the top of the history."""
    page.goto(HISTORY)
    return int(page.locator("#result_list tbody tr th a").first.inner_text())
