"""GET /api/v1/issuances and below: the issuance log for programs, page by page, row by row, and as
a whole. The filter is the one of the page in the admin.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from rest_framework.request import Request
from rest_framework.response import Response

from issuances.encoding import fields_of, time_text
from issuances.exporting.exports import FORMATS, Format
from issuances.finding.filters import FilterErrors, IssuanceFilter
from issuances.finding.paging import page_of
from issuances.models import Issuance
from registry_token.api import ApiView
from registry_token.authority import Caller
from registry_token.errors import MalformedRequest, NotFound
from registry_token.export_runs import Export, Wanted
from registry_token.exports_made import manifest_of
from registry_token.log_access import AUDIT_SCOPE, EXPORT_LOG, VIEW_LOG

DEFAULT_SIZE, MAX_SIZE = 100, 1000  # rows of a page


class IssuancesView(ApiView):
    """A page of the log, newest first, and the URLs of those beside it."""

    permission = VIEW_LOG
    scope = AUDIT_SCOPE

    def get(self, request: Request) -> Response:
        """By the filter's parameters, `before` or `after` a row, and `size`."""
        own = ("before", "after", "size")
        filtered = _filter(request, *own).filtered
        given = {name: _single(request, name) for name in own}
        before, after = (_id(name, given[name]) for name in ("before", "after"))
        if before and after:
            raise MalformedRequest("give either before or after: a page is on one side of a row")
        page = page_of(filtered, before=before, after=after, size=_size(given["size"]))
        return Response(
            {
                "results": [fields_of(row) for row in page.rows],
                "older": _url(request, before=page.older),
                "newer": _url(request, after=page.newer),
                "searched_back_to": page.searched_back_to and time_text(page.searched_back_to),
                "searched_up_to": page.searched_up_to and time_text(page.searched_up_to),
            }
        )


class IssuanceView(ApiView):
    """One row."""

    permission = VIEW_LOG
    scope = AUDIT_SCOPE

    def get(self, request: Request, row_id: str) -> Response:
        """By its id, which is its token's jti."""
        row = Issuance.objects.filter(id=required_id("the row's id", row_id)).first()
        if row is None:
            raise NotFound(f"the log has no row {row_id}", reason="no_such_row")
        return Response(fields_of(row))


class ExportView(ApiView):
    """All rows that match, as a file that is made while it is sent."""

    permission = EXPORT_LOG
    scope = AUDIT_SCOPE

    def get(self, request: Request) -> HttpResponseBase:
        """In a `format`; those `after` a row, which resumes an export that was broken off."""
        own = ("format", "after")
        filtered = _filter(request, *own)
        form = _format(_single(request, "format"))
        after = _id("after", _single(request, "after"))
        wanted = Wanted(filtered.filtered, _parameters(request, own), form, after)
        if request.method == "HEAD":
            return HttpResponse(content_type=form.media_type)
        export = Export(wanted, actor=_actor(request), request=request._request)
        manifest = reverse("api-issuances-manifest", args=[export.id])
        return StreamingHttpResponse(
            export,
            content_type=form.media_type,
            headers={
                "Content-Disposition": f'attachment; filename="issuances-{export.id}.{form.name}"',
                "Link": f'<{manifest}>; rel="describedby"',
            },
        )


class ManifestView(ApiView):
    """What an export that has ended has to be, signed."""

    permission = EXPORT_LOG
    scope = AUDIT_SCOPE

    def get(self, request: Request, export_id: str) -> Response:
        """By the id of the export, which its answer's header and its file's name have."""
        found = required_id("the export's id", export_id)
        name = f"issuances-{found}.manifest.json"
        return Response(
            manifest_of(found),
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def _filter(request: Request, *others: str) -> Any:
    filter = IssuanceFilter(request.query_params, others=others)
    try:
        filter.filtered  # noqa: B018  (raises)
    except FilterErrors as error:
        raise MalformedRequest(str(error)) from None
    return filter


def _single(request: Request, name: str) -> str:
    given = request.query_params.getlist(name)
    if len(given) > 1:
        raise MalformedRequest(f"{name} is given {len(given)} times; give it once")
    return given[0] if given else ""


def _id(name: str, text: str) -> UUID | None:
    return required_id(name, text) if text else None


def required_id(name: str, text: str) -> UUID:
    """Raises MalformedRequest."""
    try:
        return UUID(text)
    except ValueError:
        raise MalformedRequest(
            f"{name} must be one such as 01932f5b-1c2d-7a3e-9f00-2b4c6d8e0f12"
        ) from None


def _size(text: str) -> int:
    if not text:
        return DEFAULT_SIZE
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 0 < int(text) <= MAX_SIZE):
        raise MalformedRequest(f"size must be a number of rows from 1 to {MAX_SIZE}")
    return int(text)


def _format(name: str) -> Format:
    if (form := FORMATS.get(name or "ndjson")) is None:
        raise MalformedRequest(f"format must be one of {', '.join(FORMATS)}")
    return form


def _parameters(request: Request, others: tuple[str, ...]) -> dict[str, str]:
    given = {name: str(value) for name, value in request.query_params.items()}
    return {name: value for name, value in given.items() if value and name not in others}


def _actor(request: Request) -> str:
    if isinstance(request.auth, Caller):
        return f"access token of {request.auth.subject}"
    return str(request.user.get_username())


def _url(request: Request, **beside: UUID | None) -> str | None:
    """The same question, with another place in the log; None where the log ends."""
    ((name, row_id),) = beside.items()
    if row_id is None:
        return None
    query = request.query_params.copy()
    for other in ("before", "after"):
        query.pop(other, None)
    query[name] = str(row_id)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
