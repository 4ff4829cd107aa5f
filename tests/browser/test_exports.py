"""The auditor's way: from a refusal to a file, and to the manifest by which it verifies."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from issuances.verify import main
from tests.browser.conftest import axe_findings, log_in

PUSH = "repository:stella-ops/public/app:push"


@pytest.fixture
def refused(site):
    assert site.token("community", PUSH) == 403


def downloaded(page, link, path):
    with page.expect_download() as info:
        link.click()
    info.value.save_as(path)
    return path


@pytest.mark.parametrize("form", ["CSV", "NDJSON"])
def test_from_a_refusal_to_a_file_whose_manifest_verifies(page, site, refused, tmp_path, form):
    log_in(page)
    page.goto("/admin/issuances/issuance/?outcome=refused&since=1h")
    page.locator("table tbody tr").first.get_by_role("link").first.click()  # what it was for
    expect(page.get_by_role("main")).to_contain_text("nothing_granted")
    page.go_back()
    file = downloaded(page, page.get_by_role("link", name=form, exact=True), tmp_path / "log")
    assert b"nothing_granted" in file.read_bytes()
    page.get_by_role("link", name="Exports and their manifests").click()
    newest = page.locator("tbody tr").first
    assert "complete; " in newest.inner_text()
    manifest = downloaded(page, newest.get_by_role("link"), tmp_path / "manifest.json")
    jwks = tmp_path / "jwks.json"
    jwks.write_bytes(site.request("GET", "/jwks")[2])
    assert main(["--key", str(jwks), "--manifest", str(manifest), "--file", str(file)]) == 0
    assert json.loads(manifest.read_bytes())["by"] == "root"


@pytest.mark.parametrize("page", ["axe light", "axe dark narrow"], indirect=True)
def test_the_page_of_exports_is_accessible(page, site):
    headers = {"Authorization": f"Bearer {site.authority.token(scope='registry.audit.read')}"}
    assert site.request("GET", "/api/v1/issuances/export", headers=headers)[0] == 200
    log_in(page)
    page.goto("/admin/issuances/issuance/exports/")
    assert axe_findings(page) == []
