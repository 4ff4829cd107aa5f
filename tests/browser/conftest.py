"""Debian's Chromium on the service as shipped. Whatever a test does, the page must stay clean: no
error in its console, nothing that the content security policy stops, nothing that is missing, no
request to another host.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, sync_playwright

from people.groups import GROUPS
from tests.browser.each_worker import from_each_worker
from tests.service import Service

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# Chromium looks for updates and the like at each start; the tests' machine may have no network.
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PASSWORD = secrets.token_urlsafe(12)
WIDE = ViewportSize(width=1280, height=900)
NARROW = ViewportSize(width=390, height=844)
TIME_LIMIT = 15_000  # milliseconds
# What a test, or a script of the page, asks for and may be refused; all else is part of the page.
ASKED_FOR = ("document", "fetch", "xhr")
# So that there is a page for what goes wrong with it; nobody gets there.
SSO = {
    "REGISTRY_TOKEN_SSO_CLIENT_ID": "registry-token-admin",
    "REGISTRY_TOKEN_SSO_GROUPS": "registry-admins=administrator",
}
_ACCOUNTS = f"""
from django.contrib.auth.models import Group, User
for name in {list(GROUPS)}:
    user = User.objects.create_user(name.replace(" ", "-"), password={PASSWORD!r}, is_staff=True)
    user.groups.add(Group.objects.get(name=name))
"""


class Site(Service):
    """The service with its static files and an account for each role, of the group's name with
    hyphens; `root` may do everything.
    """

    def __init__(self, folder: Path, environment: dict[str, str] | None = None) -> None:
        super().__init__(folder, SSO | (environment or {}))

    def start(self) -> None:
        """Collect the static files first: WhiteNoise looks for them at the start."""
        self.manage("collectstatic", "--no-input", "--verbosity", "0")
        self.environment["DJANGO_SUPERUSER_PASSWORD"] = PASSWORD
        self.manage("createsuperuser", "--no-input", "--username=root", "--email=root@example.com")
        self.manage("shell", "--no-imports", "-c", _ACCOUNTS)
        super().start()

    def token(self, plan: str, *scopes: str, licence: str | None = None) -> int:
        """Ask for a registry token; the status of the answer."""
        query = "&".join(["service=registry.example.com", *(f"scope={scope}" for scope in scopes)])
        bearer = f"Bearer {self.authority.token(plan, licence)}"
        return self.request("GET", f"/token?{query}", headers={"Authorization": bearer})[0]

    def answers(self, plan: str, *scopes: str, licence: str | None = None) -> set[int]:
        """Ask each worker for a registry token; the different statuses of their answers."""
        return set(from_each_worker(self, lambda: self.token(plan, *scopes, licence=licence)))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Two workers, so that what one of them has changed must show in the other."""
    if CHROMIUM is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("no Chromium; on Debian: apt-get install chromium")
        pytest.skip("no Chromium; on Debian: apt-get install chromium")
    folder: Path = tmp_path_factory.mktemp("site")
    with Site(folder) as site:
        yield site


@pytest.fixture(scope="session")
def browser(site: Site) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield browser
        browser.close()


@pytest.fixture(params=["light"])
def page(site: Site, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A new window; by `parametrize(…, indirect=True)` dark, narrow, without scripts, or for axe,
    whose own styles the content security policy would stop.
    """
    context = browser.new_context(
        base_url=site.url,
        color_scheme="dark" if "dark" in request.param else "light",
        viewport=NARROW if "narrow" in request.param else WIDE,
        bypass_csp="axe" in request.param,
        java_script_enabled="no scripts" not in request.param,
    )
    context.set_default_timeout(TIME_LIMIT)
    page = context.new_page()
    problems = watch(page, site.url)
    yield page
    context.close()
    assert problems == []


def watch(page: Page, ours: str) -> list[str]:
    """What goes wrong on the page from now on, added as it does."""
    problems: list[str] = []

    def note(message: ConsoleMessage) -> None:
        # Refusals of the service, which tests ask for, are none.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            problems.append(f"console: {message.text}")

    def note_request(url: str) -> None:
        if not url.startswith((f"{ours}/", "data:", "blob:")):
            problems.append(f"request to {url}")

    def note_response(status: int, kind: str, url: str) -> None:
        if status >= 400 and kind not in ASKED_FOR:
            problems.append(f"{status} for {url}")

    page.on("console", note)
    page.on("pageerror", lambda error: problems.append(f"script: {error}"))
    page.on("request", lambda asked: note_request(asked.url))
    page.on("response", lambda got: note_response(got.status, got.request.resource_type, got.url))
    return problems


def log_in(page: Page, user: str = "root", password: str = PASSWORD) -> None:
    page.goto("/admin/login/?next=/admin/")
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")


def axe_findings(page: Page, *rules: str) -> list[str]:
    """What axe-core calls serious or critical, by all `rules` or those, each with its places."""
    # It would load stylesheets itself, and look for what they import in the wrong place.
    options = {"resultTypes": ["violations"], "preload": False}
    options |= {"runOnly": list(rules)} if rules else {}
    results = Axe().run(page, options=options)
    return [
        f"{found['impact']} {found['id']}: {[node['html'] for node in found['nodes']][:3]}"
        for found in results.response["violations"]
        if found["impact"] in ("serious", "critical")
    ]
