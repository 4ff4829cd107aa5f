"""`make screenshots`: the pictures of README.md and docs/, of the service with sample data."""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

from registry_token.config_values import BASE_DIR
from tests.browser.conftest import CHROMIUM, OPTIONS, Site, log_in

FOLDER = BASE_DIR / "docs" / "screenshots"
SCREEN = ViewportSize(width=1100, height=760)
PUBLIC, PRIVATE = "repository:stella-ops/public/app", "repository:stella-ops/private/app"

# Name of the picture: path, and whether in dark mode.
PICTURES = {
    "overview": ("/admin/", False),
    "overview-dark": ("/admin/", True),
    "plan": ("/admin/plans/plan/2/change/", False),
    "history": ("/admin/plans/cataloguerevision/", False),
    "difference": ("/admin/plans/cataloguerevision/diff/?from=1&to=2", False),
    "simulator": (
        "/admin/simulate/?plan=community&service=registry.example.com"
        "&asked=docker+push+registry.example.com/stella-ops/public/app:1.2",
        False,
    ),
    "licences": ("/admin/licences/revokedlicence/", False),
    "log": ("/admin/issuances/issuance/?outcome=refused&since=24h", False),
    "dashboard": ("/admin/dashboard/?period=48h", False),
}

# The decisions of now once more at earlier hours, more of them by day.
_EARLIER = """
from datetime import timedelta
from issuances.identifiers import uuid7
from issuances.models import Issuance
rows = list(Issuance.objects.all())
now = rows[0].created_at
for hours in range(1, 48):
    at = now - timedelta(hours=hours)
    for number, row in enumerate(rows * (5 - abs(at.hour - 12) // 3)):
        if (number * 7 + hours) % 5 < 3:
            row.created_at, row.id = at, uuid7(at)
            row.request_id, row.jti = row.id.hex, None if row.refusal else row.id
            row.save(force_insert=True)
"""


def main() -> None:
    """Start, fill, look, stop."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Site(Path(folder)) as site:
        _fill(site)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    base_url=site.url,
                    color_scheme="dark" if scheme == "dark" else "light",
                    viewport=SCREEN,
                )
                page = context.new_page()
                log_in(page)
                for name, (path, is_dark) in PICTURES.items():
                    if is_dark == (scheme == "dark"):
                        _take(page, name, path)
            browser.close()


def _take(page: Page, name: str, path: str) -> None:
    page.goto(path)
    page.screenshot(path=FOLDER / f"{name}.png")


def _fill(site: Site) -> None:
    """Decisions of all kinds, and a second revision."""
    for _ in range(12):
        site.token("community", f"{PUBLIC}:pull", licence="LIC-0042")
    site.token("community", f"{PRIVATE}:push", licence="LIC-0042")
    site.token("community", f"{PUBLIC}:pull,push", licence="LIC-0042")
    site.token("enterprise", f"{PRIVATE}:pull,push", licence="LIC-0100")
    site.token("enterprise", f"{PRIVATE}:pull", licence="LIC-0007")
    site.token("gold", f"{PUBLIC}:pull")
    file = site.folder / "catalogue.yaml"
    file.write_text(
        "plans: [{name: community, description: public images and the mirror, rules: ["
        "{repositories: stella-ops/public/**, actions: [pull]},"
        "{repositories: mirror/**, actions: [pull]}]}]"
    )
    reason = "Everybody may pull from the mirror, as announced"
    site.manage("load_catalogue", str(file), "--reason", reason)
    site.manage("shell", "--no-imports", "-c", _EARLIER)
    site.manage("rollup_issuances")


if __name__ == "__main__":
    main()
