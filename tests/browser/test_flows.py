"""What administrators do, click by click, and what the next token request makes of it."""

from __future__ import annotations

from tests.browser.conftest import log_in

PULL = "repository:flow/app:pull"


def test_a_plan_is_made_and_obeyed_at_once(site, page):
    log_in(page)
    assert site.token("flow", PULL) == 403
    page.goto("/admin/plans/plan/add/")
    page.get_by_label("Name").fill("flow")
    page.get_by_label("Why").fill("order 4711")
    page.locator(".add-row a").click()
    page.locator("#id_rules-0-pattern").fill("flow/**/")
    page.locator("input[name=rules-0-actions][value=pull]").check()
    page.get_by_role("button", name="Save", exact=True).click()
    assert page.locator(".errorlist").count() > 0
    page.locator("#id_rules-0-pattern").fill("flow/**")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/admin/plans/plan/")
    assert [site.token("flow", PULL) for _ in range(6)] == [200] * 6  # of both workers
    page.goto("/admin/plans/cataloguerevision/")
    assert page.get_by_text("order 4711").count() == 1


def test_a_list_of_licences_is_revoked_and_refused_at_once(site, page):
    log_in(page)
    assert site.token("community", licence="FLOW-1") == 200
    page.goto("/admin/licences/revokedlicence/revoke-many/")
    page.get_by_label("The list").fill("FLOW-1\nFLOW-2,sold")
    page.get_by_label("Reason").fill("chargeback")
    page.get_by_role("button", name="Check the list").click()
    assert site.token("community", licence="FLOW-1") == 200  # nothing is changed yet
    page.get_by_role("button", name="Revoke 2 licences").click()
    page.wait_for_url("**/admin/licences/revokedlicence/")
    assert [site.token("community", licence="flow-1") for _ in range(6)] == [403] * 6


def test_a_pasted_command_is_simulated(page):
    log_in(page)
    page.goto("/admin/simulate/")
    page.get_by_label("Plan", exact=False).first.fill("community")
    image = "registry.example.com/stella-ops/public/app:1.2"
    page.get_by_label("What is asked").fill(f"docker push {image}")
    page.get_by_role("button", name="Simulate").click()
    assert page.get_by_text("not push").count() == 1
