"""Every page: readable for everybody, in light and dark, on narrow screens, and strictly ours."""

from __future__ import annotations

import subprocess
import sys

import pytest

from registry_token.config_values import BASE_DIR
from tests.browser.conftest import PASSWORD, axe_findings, log_in

SIMULATED = (
    "plan=community&service=registry.example.com"
    "&asked=docker+push+registry.example.com/stella-ops/public/app:1.2"
)
PAGES = [
    "/admin/",
    "/admin/plans/plan/",
    "/admin/plans/plan/add/",
    "/admin/plans/plan/1/change/",
    "/admin/plans/plan/1/delete/",
    "/admin/plans/plan/1/history/",
    "/admin/matches/?plan=1",
    "/admin/plans/cataloguerevision/",
    "/admin/plans/cataloguerevision/1/change/",
    "/admin/plans/cataloguerevision/diff/?from=0&to=1",
    "/admin/plans/cataloguerevision/1/restore/",
    "/admin/catalogue/",
    "/admin/simulate/",
    f"/admin/simulate/?{SIMULATED}",
    "/admin/licences/revokedlicence/",
    "/admin/licences/revokedlicence/add/",
    "/admin/licences/revokedlicence/1/change/",
    "/admin/licences/revokedlicence/1/delete/",
    "/admin/licences/revokedlicence/revoke-many/",
    "/admin/licences/revokedlicence/reinstate-many/",
    "/admin/licences/licenceevent/",
    "/admin/licences/licenceevent/1/change/",
    "/admin/issuances/issuance/",
    "/admin/issuances/issuance/?outcome=refused&since=24h",
    "/admin/issuances/issuance/?subject=nobody",
    "/admin/issuances/issuance/first-pushes/?since=24h",
    "/admin/issuances/issuance/exports/",
    "/admin/failed-authentications/",
    "/admin/seals/",
    "/admin/dashboard/",
    "/admin/dashboard/?period=1y",
    "/admin/people/activity/",
    "/admin/people/activity/1/change/",
    "/admin/auth/user/",
    "/admin/auth/user/1/change/",
    "/admin/auth/group/",
    "/admin/auth/group/add/",
    "/admin/password_change/",
]


# Opened from these: the pages of single rows have no address that is known before.
ROWS = ["/admin/issuances/issuance/?outcome=granted", "/admin/issuances/issuance/?outcome=refused"]


def open_row(page, path):
    """The newest row of a list."""
    page.goto(path)
    page.locator("table.rows tbody a").first.click()
    page.wait_for_url("**/change/")


_SEALED_ROW = "import django; django.setup(); from tests.log_rows import *; saved(row())"


@pytest.fixture(scope="session")
def decisions(site):
    """Something in the log: a token, a refusal, and a row of long ago that is sealed."""
    program = [sys.executable, "-c", _SEALED_ROW]
    subprocess.run(program, cwd=BASE_DIR, env=site.environment, check=True)
    site.manage("seal_issuances")
    assert site.token("community", "repository:stella-ops/public/app:pull") == 200
    assert site.token("community", "repository:stella-ops/public/app:push") == 403


@pytest.mark.parametrize("page", ["axe light", "axe dark"], indirect=True)
def test_the_login_page_is_accessible(page):
    page.goto("/admin/login/")
    assert axe_findings(page) == []


@pytest.mark.parametrize(
    ("page", "rules"),
    [
        ("axe light", ()),
        ("axe dark", ("color-contrast",)),
        ("axe narrow", ("scrollable-region-focusable",)),
    ],
    indirect=["page"],
)
def test_every_page_is_accessible(decisions, page, rules):
    log_in(page)
    found = []
    for path in PAGES:
        response = page.goto(path)
        assert response.status == 200, path
        found += [f"{path}: {finding}" for finding in axe_findings(page, *rules)]
    for path in ROWS:
        open_row(page, path)
        found += [f"a row of {path}: {finding}" for finding in axe_findings(page, *rules)]
    assert found == []


@pytest.mark.parametrize("page", ["narrow"], indirect=True)
def test_no_page_is_wider_than_a_narrow_screen(decisions, page):
    log_in(page)
    wide = {}
    for path in PAGES:
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 390:
            wide[path] = width
    for path in ROWS:
        open_row(page, path)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 390:
            wide[f"a row of {path}"] = width
    assert wide == {}


def test_can_be_used_by_keyboard(page):
    page.goto("/admin/login/?next=/admin/plans/plan/")  # the cursor is in the first field
    page.keyboard.type("root")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "login" not in url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
