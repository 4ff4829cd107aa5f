"""Light and dark: as the system has it, until somebody chooses, and readable either way."""

from __future__ import annotations

import pytest

from tests.browser.conftest import axe_findings, log_in


def brightness(page):
    """Of the background, 0 to 765."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(int(part) for part in colour.strip("rgb()").split(","))


def choose(page, theme):
    """Press the button until the theme is there."""
    toggle = page.locator("button.theme-toggle").first
    for _ in range(3):
        if page.evaluate("document.documentElement.dataset.theme") == theme:
            return
        toggle.click()
    raise AssertionError(f"the button does not lead to {theme}")


@pytest.mark.parametrize(("page", "is_dark"), [("light", False), ("dark", True)], indirect=["page"])
def test_follows_the_systems_colours(page, is_dark):
    page.goto("/admin/login/")
    assert (brightness(page) < 200) == is_dark


@pytest.mark.parametrize(
    ("page", "theme"), [("axe light", "dark"), ("axe dark", "light")], indirect=["page"]
)
def test_what_was_chosen_lasts_and_is_readable(page, theme):
    log_in(page)
    choose(page, theme)
    for path in ("/admin/", "/admin/plans/plan/1/change/", "/admin/simulate/", "/admin/catalogue/"):
        page.goto(path)
        assert (brightness(page) < 200) == (theme == "dark"), path
        assert axe_findings(page, "color-contrast") == [], path
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    choose(page, "auto")
    assert (brightness(page) < 200) == (theme == "light")
