"""The issuance log in the browser: filter, pages, and the box that recognises what is pasted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from issuances.finding.fields import TimeField
from issuances.finding.filters import Filtered, FilterErrors, IssuanceFilter
from issuances.finding.paging import Page as LogPage
from issuances.finding.paging import page_of
from issuances.identifiers import FIRST_ID, first_uuid7
from registry_token.log_access import EXPORT_LOG, LOG_LIST, LOG_ROW, VIEW_LOG
from registry_token.log_search import KINDS, search
from registry_token.pages.audit_form import (
    OF_PAGE,
    filter_query,
    form_of,
    shown_values,
    suggestions,
    without_empty,
)
from registry_token.pages.audit_queries import queries_for
from registry_token.pages.audit_words import line_of
from registry_token.pages.site import Page, context_of
from registry_token.pasted_tokens import NotOurs

SIZE = 50
_FORMATS = ("csv", "ndjson")


def listed(request: HttpRequest) -> HttpResponse:
    """The rows that match, newest first; 400 with what is wrong with the filter."""
    if (clean := without_empty(request.GET)) is not None:
        return redirect(f"{reverse(LOG_LIST)}?{clean}")
    issuance_filter = IssuanceFilter(request.GET, others=OF_PAGE)
    form = form_of(issuance_filter)
    context: dict[str, Any] = {"form": form, "shown": shown_values(form)}
    status = 200
    try:
        if "at" in request.GET:
            return redirect(_jumped(request))
        page = _page(request, issuance_filter.filtered)
    except FilterErrors as error:
        status, context["problems"] = 400, _problems(error)
    else:
        if page.newer is None and "after" in request.GET and len(page.rows) < SIZE:
            return redirect(_url(request))  # the newest page, and full
        context |= _shown(request, page)
    return _answer(request, context, status)


@sensitive_variables("text")
@sensitive_post_parameters("q")
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """Go where what was pasted leads. It may be a credential, so it is repeated nowhere."""
    text = request.POST.get("q", "")
    try:
        found = search(text, datetime.now(UTC))
    except NotOurs as error:
        messages.error(request, str(error))
        return redirect(LOG_LIST)
    if found.said:
        messages.info(request, found.said)
    if found.row is not None:
        return redirect(LOG_ROW, found.row)
    if len(found.lists) > 1:
        lists = [(KINDS[name], f"?{urlencode({name: value})}") for name, value in found.lists]
        return _answer(request, {"choices": lists, "form": form_of(IssuanceFilter({}))})
    query = f"?{urlencode(found.lists)}" if found.lists else ""
    return redirect(f"{reverse(LOG_LIST)}{query}")


def _answer(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    query = filter_query(request.GET)
    more = {
        "query": query,
        "queries": queries_for(request),
        "suggestions": suggestions(),
        "links": _links(request, query),
    }
    all_of_it = context_of(request, _("Issuance log"), **more) | context
    return TemplateResponse(request, "admin/audit/list.html", all_of_it, status=status)


def _page(request: HttpRequest, filtered: Filtered) -> LogPage:
    before, after = (_cursor(request, name) for name in ("before", "after"))
    if before is not None and after is not None:
        raise FilterErrors({"before": [_("give either before or after")]})
    return page_of(filtered, before=before, after=after, size=SIZE)


def _cursor(request: HttpRequest, name: str) -> UUID | None:
    text = request.GET.get(name)
    try:
        return UUID(text) if text is not None else None
    except ValueError:
        raise FilterErrors(
            {name: [_("must be the id of a row, as the page's links have it")]}
        ) from None


def _jumped(request: HttpRequest) -> str:
    """The page that ends at a time, or with a day."""
    text = request.GET["at"]
    try:
        at: Any = TimeField().clean(text)
        if len(text) <= len("2026-11-25"):
            at += timedelta(days=1)
    except (ValidationError, OverflowError) as error:
        said = getattr(error, "messages", [_("there is no such day")])
        raise FilterErrors({"at": said}) from None
    return _url(request, before=str(first_uuid7(at)))


def _url(request: HttpRequest, **cursor: str) -> str:
    query = "&".join(part for part in (filter_query(request.GET), urlencode(cursor)) if part)
    return f"{reverse(LOG_LIST)}?{query}" if query else reverse(LOG_LIST)


def _shown(request: HttpRequest, page: LogPage) -> dict[str, Any]:
    """The rows, and the ways to the pages beside them."""
    return {
        "lines": [line_of(row) for row in page.rows],
        "rows": page.rows,
        "page": page,
        "newest_url": _url(request) if page.newer is not None or "before" in request.GET else "",
        "newer_url": page.newer and _url(request, after=str(page.newer)),
        "older_url": page.older and _url(request, before=str(page.older)),
        "oldest_url": page.older and _url(request, after=str(FIRST_ID)),
        "wanted": sorted((name, request.GET[name]) for name in request.GET if name not in OF_PAGE),
    }


def _problems(error: FilterErrors) -> list[str]:
    return [f"{name}: {' '.join(said)}" for name, said in error.problems.items()]


def _links(request: HttpRequest, query: str) -> dict[str, Any]:
    """The same rows elsewhere: for programs, and to take away."""
    rest = f"?{query}" if query else ""
    links: dict[str, Any] = {
        "api": request.build_absolute_uri(reverse("api-issuances")) + rest,
        "exports": [],
    }
    if request.user.has_perm(EXPORT_LOG):
        base, more = reverse("api-issuances-export"), f"&{query}" if query else ""
        links["exports"] = [(kind, f"{base}?format={kind}{more}") for kind in _FORMATS]
    return links


PAGES: tuple[Page, ...] = (Page("issuances/issuance/find/", "audit_find", find, VIEW_LOG),)
