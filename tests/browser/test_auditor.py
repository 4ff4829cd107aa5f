"""The auditor's way, from the error that somebody got to its cause, and to a file that verifies by
the public key alone.
"""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from issuances.verify import main as verify
from tests.browser.conftest import PASSWORD, axe_findings, log_in
from tests.browser.test_exports import downloaded

ASKED = "/token?service=registry.example.com&scope=repository:stella-ops/private/app:push"
FIND = "Find what you have"


@pytest.fixture
def error(site):
    """What curl shows to somebody who asked for too much, as they send it to the auditor."""
    headers = {"Authorization": f"Bearer {site.authority.token('community', 'LIC-0042')}"}
    status, _, body = site.request("GET", ASKED, headers=headers)
    assert status == 403
    return body.decode()


def find(page, text):
    page.goto("/admin/issuances/issuance/")
    page.get_by_label(FIND).fill(text)
    page.get_by_role("button", name="Find").click()


def test_from_an_error_to_its_cause_and_to_a_file_that_verifies(page, site, error, tmp_path):
    log_in(page, "auditor")
    find(page, error)
    page.wait_for_url("**/change/")
    main = page.get_by_role("main")
    expect(main).to_contain_text("plan community does not allow push to stella-ops/private/app")
    expect(main).to_contain_text("stella-ops/public/**")  # the rule that came closest
    page.get_by_role("link", name="revision 1", exact=True).click()
    expect(page.get_by_role("main")).to_contain_text("the first plans")
    page.go_back()
    page.get_by_role("link", name="Simulate again today").click()
    expect(page.get_by_role("main")).to_contain_text("nothing_granted")
    page.go_back()
    page.get_by_role("link", name="rows with this licence").click()
    page.wait_for_url("**/?licence=LIC-0042")
    page.get_by_text("Filter", exact=True).click()
    page.get_by_label("Outcome").select_option("refused")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(re.compile("outcome=refused"))
    link = page.get_by_role("link", name="NDJSON", exact=True)
    file = downloaded(page, link, tmp_path / "refused.ndjson")
    assert json.loads(error)["errors"][0]["detail"]["request_id"] in file.read_text()
    page.get_by_role("link", name="Exports and their manifests").click()
    how = "python -m issuances.verify --key KEY --manifest MANIFEST --file FILE checks them"
    expect(page.get_by_role("main")).to_contain_text(how)
    newest = page.locator("tbody tr").first.get_by_role("link")
    manifest = downloaded(page, newest, tmp_path / "manifest.json")
    key = tmp_path / "jwks.json"
    key.write_bytes(site.request("GET", "/jwks")[2])
    given = ["--key", str(key), "--manifest", str(manifest), "--file"]
    assert verify([*given, str(file)]) == 0
    file.write_bytes(file.read_bytes().replace(b"LIC-0042", b"LIC-0043", 1))
    assert verify([*given, str(file)]) == 1


def test_a_query_that_is_shared_is_there_for_the_others(page, site, error, browser):
    log_in(page, "auditor")
    page.goto("/admin/issuances/issuance/?plan=community&outcome=refused")
    page.get_by_text("Save this query").click()
    page.get_by_label("Name").fill("community, refused")
    page.get_by_label("for everybody").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("main").locator("..")).to_contain_text("community, refused")
    other = browser.new_context(base_url=site.url).new_page()
    log_in(other, "administrator", PASSWORD)
    other.goto("/admin/issuances/issuance/")
    other.get_by_text("Ready-made and saved queries").click()
    other.get_by_role("link", name="community, refused").click()
    other.wait_for_url("**/?plan=community&outcome=refused")
    expect(other.locator("table.rows tbody tr").first).to_be_attached()
    other.context.close()


@pytest.mark.parametrize("page", ["axe light", "axe dark narrow"], indirect=True)
def test_what_an_auditor_opens_is_accessible(page, error):
    log_in(page, "auditor")
    find(page, error)
    page.wait_for_url("**/change/")
    found = axe_findings(page)
    page.goto("/admin/issuances/issuance/?outcome=refused")
    for name in ("Ready-made and saved queries", "Save this query", "Filter"):
        page.get_by_text(name, exact=True).click()
    found += axe_findings(page)
    page.goto("/admin/dashboard/")
    page.get_by_text("The same as a table").click()
    found += axe_findings(page)
    for path in ("?at=2020-01-01", "?before=00000000-0000-7000-8000-000000000000", "?subjct=x"):
        page.goto(f"/admin/issuances/issuance/{path}")
        found += axe_findings(page)
    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
