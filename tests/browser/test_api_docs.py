"""The page of the API: Swagger UI, whole, without anything that the policy stops."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import log_in

DOCS = "/api/v1/docs"


@pytest.mark.parametrize("page", ["light", "dark narrow"], indirect=True)
def test_shows_every_operation(page, site):
    page.goto(DOCS)
    page.locator(".opblock").first.wait_for()
    for path in ("/token", "/jwks", "/healthz", "/readyz", "/api/v1/issuances/export"):
        expect(page.locator(f'.opblock-summary-path[data-path="{path}"]').first).to_be_attached()
    for schema in page.locator(".models .model-box-control[aria-expanded=false]").all()[:5]:
        schema.click()


def test_an_operation_can_be_tried_by_who_is_logged_in(page):
    log_in(page)
    page.goto(f"{DOCS}#/catalogue/simulate")
    page.get_by_role("button", name="Try it out").click()
    page.get_by_placeholder("plan").fill("community")
    page.get_by_role("button", name="Execute").click()
    answer = page.locator(".live-responses-table .response-col_description pre").first
    expect(answer).to_contain_text('"source": "current"')


def test_says_what_is_wrong_to_who_is_not_logged_in(page):
    page.goto(f"{DOCS}#/catalogue/simulate")
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table")).to_contain_text("no_credentials")
