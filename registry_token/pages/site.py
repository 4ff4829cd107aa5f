"""The admin's site: its name, its navigation, and the pages that belong to no single table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Page:
    """A page beside the tables'. Who is logged in and has `permission` may see it.

    `route` as in django.urls.path, below /admin/; its URL is named `admin:NAME`. With a `label` it
    stands in the navigation.
    """

    route: str
    name: str
    view: View
    permission: str
    label: Promise | str = ""

    def guarded(self, site: Site) -> View:
        """The view for those who may see it; 403 for others, the login for strangers."""

        @wraps(self.view)
        def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.has_perm(self.permission):
                raise PermissionDenied
            return self.view(request, *args, **kwargs)

        guarded: View = site.admin_view(view)
        return guarded


def pages() -> tuple[Page, ...]:
    """All of them. Imported late: they need the models."""
    from registry_token.pages import (
        audit,
        audit_first_pushes,
        audit_queries,
        catalogue_files,
        dashboard,
        exports,
        failures,
        history,
        licences,
        matches,
        seals,
        simulator,
    )

    ours = (
        history,
        catalogue_files,
        licences,
        simulator,
        matches,
        audit,
        audit_queries,
        audit_first_pushes,
        dashboard,
        failures,
        exports,
        seals,
    )
    return tuple(page for module in ours for page in module.PAGES)


# The tables' lists in the navigation: permission, URL, label.
_LISTS = (
    ("plans.view_plan", "admin:plans_plan_changelist", _("Plans")),
    ("plans.view_cataloguerevision", "admin:plans_cataloguerevision_changelist", _("History")),
    ("licences.view_revokedlicence", "admin:licences_revokedlicence_changelist", _("Licences")),
    ("issuances.view_issuance", "admin:issuances_issuance_changelist", _("Issuance log")),
    ("people.view_activity", "admin:people_activity_changelist", _("Activity")),
    ("auth.view_user", "admin:auth_user_changelist", _("Users")),
)


class Site(admin.AdminSite):
    """The one site of the service, at /admin/."""

    site_header = site_title = _("Registry Token Service")
    index_title = _("Overview")
    site_url = None  # there is no page beside the admin
    enable_nav_sidebar = False  # the log's table needs the width

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Our pages before Django's, whose last pattern matches all."""
        from registry_token.pages import sso

        ours = [path(page.route, page.guarded(self), name=page.name) for page in pages()]
        return [*ours, *sso.URLS, *super().get_urls()]

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's page, with the way to the Authority; without passwords when they are off."""
        from registry_token.password_turns import in_turn

        is_sent = request.method == "POST"
        if is_sent and not settings.SSO_LOCAL_LOGIN:
            raise PermissionDenied
        there = request.GET.get(REDIRECT_FIELD_NAME, reverse("admin:index"))
        context: dict[str, Any] = {
            "local_login": settings.SSO_LOCAL_LOGIN,
            "sso_host": settings.SSO_CLIENT_ID and urlsplit(settings.AUTHORITY_ISSUER).hostname,
            "sso_query": urlencode({REDIRECT_FIELD_NAME: there}),
        }
        view = partial(super().login, request, context | (extra_context or {}))
        return in_turn(request, view) if is_sent else view()

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Any table's page, such that its changes stand in the activity log."""
        from people.activity import Recorded
        from registry_token.pages.selected import NumberedRows

        base = admin_class or admin.ModelAdmin
        bases = (NumberedRows, Recorded, base)
        ours = type(base.__name__, bases, {"__module__": base.__module__})
        super().register(model_or_iterable, ours, **options)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Django's page; a success stands in the activity log."""
        from people.activity import record_activity
        from people.models import Action
        from registry_token.password_turns import in_turn

        view = partial(super().password_change, request, extra_context)
        response = in_turn(request, view) if request.method == "POST" else view()
        if response.status_code == 302 and request.user.is_authenticated:
            record_activity(request, Action.PASSWORD_CHANGED)
        return response

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """The overview, above Django's list of tables."""
        from registry_token.pages import index

        return super().index(request, index.context(request) | (extra_context or {}))

    def each_context(self, request: Any) -> dict[str, Any]:
        """What every page's template has, the navigation among it."""
        return super().each_context(request) | {"navigation": list(_navigation(request))}


def context_of(request: HttpRequest, title: object, **more: Any) -> dict[str, Any]:
    """What the template of a page of ours needs."""
    return admin.site.each_context(request) | {"title": title} | more


def row_number(text: str) -> int | None:
    """A row's number, as the database takes it, out of a URL or a form; None when it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def _navigation(request: Any) -> Iterator[dict[str, Any]]:
    """What the user may see: URL, label, and whether this is it."""
    in_navigation = [(page.permission, f"admin:{page.name}", page.label) for page in pages()]
    for permission, name, label in (*_LISTS, *in_navigation):
        if label and request.user.has_perm(permission):
            url = reverse(name)
            yield {"url": url, "label": label, "is_current": request.path.startswith(url)}
