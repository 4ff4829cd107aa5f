"""What administrators do, click by click, and what each worker makes of the next token request.

Each test has a plan or a licence of its own, so that they can run in any order.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.acting import (
    HISTORY,
    LICENCES,
    PLANS,
    at_the_list,
    confirm,
    make_plan,
    newest_revision,
    open_plan,
    save,
)
from tests.browser.conftest import log_in


def pull(name: str) -> str:
    return f"repository:{name}/app:pull"


def test_a_plan_is_made_and_obeyed_at_once(site, page):
    log_in(page)
    assert site.answers("flow", pull("flow")) == {403}
    page.goto(f"{PLANS}add/")
    page.get_by_label("Name").fill("flow")
    page.get_by_label("Why").fill("order 4711")
    page.locator(".add-row a").click()
    page.locator("#id_rules-0-pattern").fill("flow/**/")
    page.locator("input[name=rules-0-actions][value=pull]").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".errorlist").first).to_be_attached()
    page.locator("#id_rules-0-pattern").fill("flow/**")
    save(page)
    assert site.answers("flow", pull("flow")) == {200}
    page.goto(HISTORY)
    expect(page.get_by_text("order 4711")).to_have_count(1)


def test_what_a_pattern_matches_is_shown_while_it_is_typed(site, page):
    log_in(page)
    site.token("community", "repository:typed/app:pull")
    page.goto(f"{PLANS}add/")
    field, found = page.locator("#id_rules-0-pattern"), page.get_by_text("typed/app", exact=True)
    for _ in range(12):  # what was seen is kept for ten seconds
        field.fill("")
        field.press_sequentially("typed/**")
        page.get_by_text(re.compile("matches . of .* repositories seen lately")).wait_for()
        if found.count():
            break
        page.wait_for_timeout(1000)
    matches = page.get_by_text(re.compile("matches 1 of .* repositories seen lately"))
    expect(matches).to_have_count(1)
    expect(found).to_have_count(1)


def test_a_rule_is_narrowed_after_a_confirmation_and_obeyed_at_once(site, page):
    log_in(page)
    make_plan(page, "narrow", "narrow/**", "pull")
    assert site.answers("narrow", pull("narrow")) == {200}
    open_plan(page, "narrow")
    page.locator("#id_rules-0-pattern").fill("narrow/other")
    page.get_by_label("Why").fill("contract ended")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("2 requests would be refused or get less")).to_have_count(1)
    expect(page.get_by_text("no rule of the plan allows it")).to_have_count(1)
    assert site.answers("narrow", pull("narrow")) == {200}  # nothing is changed yet
    confirm(page)
    at_the_list(page)
    assert site.answers("narrow", pull("narrow")) == {403}


def test_plans_are_disabled_together_and_refused_at_once(site, page):
    log_in(page)
    for name in ("off-1", "off-2"):
        make_plan(page, name, "off/**", "pull")
    assert site.answers("off-1", pull("off")) == {200}
    page.goto(f"{PLANS}?q=off-")
    page.get_by_role("checkbox", name=re.compile("Select all")).check()
    page.get_by_role("combobox", name="Action").select_option("disable")
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.locator("h1", has_text="Disable plans off-1, off-2?")).to_have_count(1)
    confirm(page, Why="not paid")
    at_the_list(page)
    assert page.locator(".messagelist .success").inner_text() == "2 plans are disabled."
    assert site.answers("off-1", pull("off")) == site.answers("off-2", pull("off")) == {403}


def test_a_plan_is_deleted_by_typing_its_name(site, page):
    log_in(page)
    make_plan(page, "gone", "gone/**", "pull")
    open_plan(page, "gone")
    page.get_by_role("link", name="Delete", exact=True).click()
    confirm(page, Why="sold no more", Type="gon")
    expect(page.get_by_text("Type exactly gone")).to_have_count(1)
    confirm(page, Type="gone")
    at_the_list(page)
    assert site.answers("gone", pull("gone")) == {403}


def test_two_revisions_are_compared_and_the_earlier_one_is_restored(site, page):
    log_in(page)
    make_plan(page, "again", "again/**", "pull", "push")
    earlier = newest_revision(page)
    assert site.answers("again", "repository:again/app:delete") == {403}
    open_plan(page, "again")
    page.locator("input[name=rules-0-actions][value=delete]").check()
    page.get_by_label("Why").fill("test of deletion")
    save(page)
    assert site.answers("again", "repository:again/app:delete") == {200}
    page.goto(HISTORY)
    page.get_by_role("link", name=str(earlier), exact=True).click()
    page.get_by_label("to", exact=True).fill(str(earlier + 1))
    page.get_by_label("From revision").fill(str(earlier))
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_text("Plan again: changed")).to_have_count(1)
    expect(page.get_by_text("allow pull, push, delete on again/**")).to_have_count(1)
    expect(page.locator(".badge", has_text=re.compile("^widened$"))).to_have_count(2)
    page.goto(f"{HISTORY}{earlier}/change/")
    page.get_by_role("link", name="Restore the plans of this revision").click()
    page.get_by_label("Why").fill("test is over")
    page.get_by_role("button", name=f"Restore revision {earlier}").click()
    # The browser asks first.
    expect(page.get_by_text("Tick the box if this is wanted")).to_have_count(0)
    page.get_by_label("Yes, take this away").check()
    page.get_by_role("button", name=f"Restore revision {earlier}").click()
    page.get_by_text(f"The plans are again those of revision {earlier}.").wait_for()
    expect(page.get_by_text(f"restored revision {earlier}: test is over")).to_have_count(1)
    assert site.answers("again", "repository:again/app:delete") == {403}
    assert site.answers("again", pull("again")) == {200}


FILE = "plans: [{name: loaded, rules: [{repositories: loaded/**, actions: [%s]}]}]"


def test_a_catalogue_file_is_looked_at_loaded_and_obeyed_at_once(site, page):
    log_in(page)
    page.goto("/admin/catalogue/")
    file = {"name": "catalogue.yaml", "mimeType": "text/yaml", "buffer": b""}
    page.get_by_label("File:", exact=True).set_input_files(
        {**file, "buffer": (FILE % "pull").encode()}
    )
    page.get_by_role("button", name="Show the differences").click()
    expect(page.get_by_text("Plan loaded: added")).to_have_count(1)
    assert site.answers("loaded", pull("loaded")) == {403}  # nothing is changed yet
    page.get_by_label("Why").fill("from git")
    page.get_by_role("button", name="Apply").click()
    page.get_by_text("The catalogue file is loaded.").wait_for()
    expect(page.get_by_text("from git")).to_have_count(1)
    assert site.answers("loaded", pull("loaded")) == {200}


def test_a_wrong_catalogue_file_is_refused_with_the_place_and_the_fix(site, page):
    log_in(page)
    before = newest_revision(page)
    page.goto("/admin/catalogue/")
    page.get_by_label("Or the file's text").fill((FILE % "pul").replace("loaded/**", "a//b"))
    page.get_by_role("button", name="Show the differences").click()
    alert = page.get_by_role("alert").inner_text()
    assert "plans[0].rules[0].repositories" in alert
    assert "plans[0].rules[0].actions: pul: unknown; known are pull, push, delete" in alert
    expect(page.get_by_role("button", name="Apply")).to_have_count(0)
    assert "a//b" in page.get_by_label("Or the file's text").input_value()
    assert newest_revision(page) == before


def test_a_list_of_licences_is_revoked_and_reinstated_at_once(site, page):
    log_in(page)
    assert site.answers("community", licence="FLOW-1") == {200}
    page.goto(f"{LICENCES}revoke-many/")
    page.get_by_label("The list").fill("FLOW-1\nFLOW-2,sold")
    page.get_by_label("Reason").fill("chargeback")
    page.get_by_role("button", name="Check the list").click()
    assert site.answers("community", licence="FLOW-1") == {200}  # nothing is changed yet
    page.get_by_role("button", name="Revoke 2 licences").click()
    at_the_list(page)
    assert site.answers("community", licence="flow-1") == {403}
    page.goto(f"{LICENCES}reinstate-many/")
    page.get_by_label("The list").fill("flow-1")
    page.get_by_label("Reason").fill("paid")
    page.get_by_role("button", name="Check the list").click()
    page.get_by_role("button", name="Reinstate 1 licence").click()
    at_the_list(page)
    assert site.answers("community", licence="FLOW-1") == {200}
    assert site.answers("community", licence="FLOW-2") == {403}


def test_one_licence_is_revoked_and_reinstated_at_once(site, page):
    log_in(page)
    assert site.answers("community", licence="ONE-1") == {200}
    page.goto(f"{LICENCES}add/")
    page.get_by_label("Licence").fill("ONE-1")
    page.get_by_label("Reason").fill("fraud")
    page.get_by_role("button", name="Save", exact=True).click()
    at_the_list(page)
    assert "2 requests by 1 caller" in page.locator(".messagelist").inner_text()
    assert site.answers("community", licence="one-1") == {403}
    page.locator("#result_list").get_by_role("link", name="ONE-1", exact=True).click()
    page.get_by_role("link", name="Reinstate").click()
    page.get_by_label("Reason").fill("mistake")
    page.get_by_role("button", name="Reinstate").click()
    at_the_list(page)
    assert site.answers("community", licence="ONE-1") == {200}


def test_a_pasted_command_is_simulated(page):
    log_in(page)
    page.goto("/admin/simulate/")
    page.get_by_label("Plan", exact=False).first.fill("community")
    image = "registry.example.com/stella-ops/public/app:1.2"
    page.get_by_label("What is asked").fill(f"docker push {image}")
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_text("not push")).to_have_count(1)


def test_an_unsaved_plan_is_simulated(site, page):
    log_in(page)
    make_plan(page, "draft", "draft/**", "pull")
    open_plan(page, "draft")
    page.locator("input[name=rules-0-actions][value=push]").check()
    page.get_by_role("button", name="Simulate with what is in this form").click()
    page.get_by_label("What is asked").fill("repository:draft/app:push")
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_text("The token grants:")).to_have_count(1)
    assert site.answers("draft", "repository:draft/app:push") == {403}  # nothing is saved


@pytest.mark.parametrize("page", ["no scripts"], indirect=True)
def test_a_plan_is_made_and_narrowed_without_scripts(site, page):
    log_in(page)
    page.goto(f"{PLANS}add/")
    page.get_by_label("Name").fill("plain")
    page.get_by_label("Why").fill("order 4712")
    page.locator("#id_rules-0-pattern").fill("plain/**")
    page.locator("input[name=rules-0-actions][value=pull]").check()
    save(page)
    assert site.answers("plain", pull("plain")) == {200}
    open_plan(page, "plain")
    page.locator("#id_rules-1-pattern").fill("plain/app")
    page.locator("#id_rules-1-effect").select_option("deny")
    page.locator("input[name=rules-1-actions][value=pull]").check()
    page.get_by_label("Why").fill("contract ended")
    page.get_by_role("button", name="Save", exact=True).click()
    confirm(page)
    at_the_list(page)
    assert site.answers("plain", pull("plain")) == {403}


def test_who_is_overtaken_is_told_and_loses_nothing(site, browser, page):
    log_in(page)
    make_plan(page, "both", "both/**", "pull")
    open_plan(page, "both")
    page.get_by_label("Description").fill("mine")
    page.get_by_label("Why").fill("my reason")
    other = browser.new_context(base_url=site.url).new_page()
    log_in(other, "catalogue-editor")
    open_plan(other, "both")
    other.locator("input[name=rules-0-actions][value=push]").check()
    other.get_by_label("Why").fill("their reason")
    save(other)
    other.context.close()
    page.get_by_role("button", name="Save", exact=True).click()
    told = page.locator(".errorlist").first.inner_text()
    for part in ("catalogue-editor", "their reason", "rule added: allow pull, push on both/**"):
        assert part in told
    assert page.get_by_label("Description").input_value() == "mine"
