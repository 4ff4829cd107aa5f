"""That every test would notice what must not be on a page."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.browser.conftest import WIDE, watch
from tests.browser.each_worker import answering_worker, from_each_worker
from tests.faults.processes import workers

DISTURBANCES = {
    "console": ("console.error('oh')", "console: oh"),
    "script": ("setTimeout(() => { throw new Error('oh'); })", "script: oh"),
    "inline script": (
        "const s = document.createElement('script'); s.textContent = '1'; document.head.append(s)",
        "Content Security Policy",
    ),
    "inline style": (
        "document.body.setAttribute('style', 'color: red')",
        "Content Security Policy",
    ),
    "another host": (
        "new Image().src = 'https://elsewhere.example/a.png'",
        "Content Security Policy",
    ),
    "missing file": ("new Image().src = '/static/missing.png'", "404 for "),
}


@pytest.mark.parametrize("case", DISTURBANCES)
def test_what_must_not_be_on_a_page_is_noticed(site, browser, case):
    script, problem = DISTURBANCES[case]
    context = browser.new_context(base_url=site.url, viewport=WIDE)
    page = context.new_page()
    problems = watch(page, site.url)
    page.goto("/admin/login/")
    assert problems == []
    page.evaluate(f"() => {{ {script} }}")
    page.wait_for_timeout(300)
    context.close()
    assert any(problem in found for found in problems), problems


def test_a_request_to_another_host_is_noticed_where_the_policy_does_not_stop_it(site, browser):
    context = browser.new_context(base_url=site.url, bypass_csp=True)
    page = context.new_page()
    page.route("**/elsewhere.example/**", lambda route: route.abort())
    problems = watch(page, site.url)
    page.goto("/admin/login/")
    page.evaluate("() => { new Image().src = 'https://elsewhere.example/a.png' }")
    page.wait_for_timeout(300)
    context.close()
    assert "request to https://elsewhere.example/a.png" in problems


def test_each_worker_is_asked(site):
    def ask():
        with closing(site.connection()) as connection:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
            return answering_worker(site, connection.sock.getsockname()[1])

    assert from_each_worker(site, ask) == workers(site)
