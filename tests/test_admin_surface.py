"""All URLs of the admin at once, as Django has them: whatever page is added is tried, too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import URLPattern, URLResolver

from licences.models import RevokedLicence
from people import groups
from plans.models import CatalogueRevision, Plan
from tests.test_admin_roles import log_in

pytestmark = pytest.mark.usefixtures("catalogue")

ROW = "0192f0c1-2d3e-7000-8000-000000000001"
# No page, but what every visitor may have.
FOR_STRANGERS = {"/admin/login/", "/admin/logout/", "/admin/sso/", "/admin/sso/callback/"}


def paths(patterns: list[URLPattern | URLResolver], begin: str = "/admin/") -> Iterator[str]:
    for pattern in patterns:
        route = str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from paths(pattern.url_patterns, begin + route)
            continue
        for name, converter in pattern.pattern.converters.items():
            value = ROW if name == "row_id" else "1"
            kind = type(converter).__name__.removesuffix("Converter").lower()
            route = route.replace(f"<{kind}:{name}>", value).replace(f"<{name}>", value)
        if "(?P<" in route:  # Django's own two
            route = "plans/" if "app_label" in route else "no/such/page/"
        yield begin + route


URLS = sorted(set(paths(admin.site.get_urls())))


def test_all_urls_are_found():
    assert len(URLS) > 60
    assert not [url for url in URLS if set("<>^(") & set(url)]
    some = {"licences/revokedlicence/revoke-many/", "jsi18n/", "autocomplete/", "matches.json"}
    assert {f"/admin/{page}" for page in some} <= {*URLS}


@pytest.mark.parametrize("url", URLS)
def test_nothing_is_done_for_another_site(admin_user, url):
    """With whatever method that changes something, without the token of a form of ours."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(admin_user)
    for method in ("post", "put", "patch", "delete"):
        response = getattr(browser, method)(url, {"apply": "yes"})
        assert response.status_code == 403, method
    hostile = {"origin": "https://evil.example.com"}
    assert browser.post(url, {}, headers=hostile).status_code == 403


@pytest.mark.parametrize("url", sorted({*URLS} - FOR_STRANGERS))
def test_strangers_and_accounts_without_rights_see_nothing(client, url):
    """Nor do they learn which rows and pages there are."""
    for more in ("", "?_popup=1", "?_to_field=id", "?_popup=1&_to_field=password"):
        answer = client.get(url + more)
        assert (answer.status_code, answer.content) == (302, b"")
        assert answer["Location"].startswith("/admin/login/?next=")
    User.objects.create_user("eve", is_staff=False)
    client.force_login(User.objects.get(username="eve"))
    assert client.get(url).status_code == 302


@pytest.mark.parametrize("role", sorted(groups.GROUPS))
@pytest.mark.parametrize("more", ["_popup=1", "_to_field=id", "_popup=1&_to_field=id", "e=1"])
def test_a_popup_is_as_closed_as_its_page(client, role, more):
    log_in(client, role)
    for url in URLS:
        if url.endswith(("/logout/", "/export/", "catalogue.yaml")):
            continue
        usual, as_popup = client.get(url), client.get(f"{url}?{more}")
        assert as_popup.status_code < 500, url
        if usual.status_code == 403:
            assert as_popup.status_code in (400, 403), url


@pytest.mark.parametrize("role", sorted(groups.GROUPS))
@pytest.mark.parametrize(
    "what",
    [
        "app_label=auth&model_name=user&field_name=groups",
        "app_label=auth&model_name=user&field_name=password",
        "app_label=plans&model_name=planrule&field_name=plan",
        "app_label=people&model_name=ssoidentity&field_name=user",
        "app_label=x&model_name=y&field_name=z",
        "",
    ],
)
def test_nothing_is_completed_as_one_types(client, role, what):
    """No field of ours asks Django for that, so it is closed."""
    log_in(client, role)
    for term in ("", "a", "\0", "x" * 5000):
        assert client.get(f"/admin/autocomplete/?{what}", {"term": term}).status_code in (403, 404)


def test_the_catalogue_is_untouched_by_all_of_it(admin_user):
    """What the table above sends would do harm if it were let in."""
    before = CatalogueRevision.objects.latest("number").number
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(admin_user)
    plans = list(Plan.objects.values_list("pk", flat=True))
    browser.post("/admin/plans/plan/", {"action": "delete_plans", "_selected_action": plans})
    browser.post("/admin/licences/revokedlicence/add/", {"licence": "LIC-1", "reason": "x"})
    assert CatalogueRevision.objects.latest("number").number == before
    assert not RevokedLicence.objects.filter(licence="LIC-1").exists()
    assert Group.objects.count() == len(groups.GROUPS)
