"""GET /api/v1/failed-authentications: how often callers failed to authenticate, and from where."""

from __future__ import annotations

from datetime import UTC, datetime

from rest_framework.request import Request
from rest_framework.response import Response

from issuances.finding.filters import FilterErrors
from registry_token.api import ApiView, values_of
from registry_token.errors import MalformedRequest
from registry_token.failures_asked import PARAMETERS, FailuresForm, as_dict
from registry_token.log_access import AUDIT_SCOPE, VIEW_LOG


class FailedAuthenticationsView(ApiView):
    """Their number, by reason, client network and time."""

    permission = VIEW_LOG
    scope = AUDIT_SCOPE

    def get(self, request: Request) -> Response:
        """Of the last 24 hours, or of the time that is asked for."""
        given = values_of(request, single=PARAMETERS, many=())
        form = FailuresForm({name: value for name, value in given.items() if value is not None})
        try:
            return Response(as_dict(form.found(datetime.now(UTC))))
        except FilterErrors as error:
            raise MalformedRequest(str(error)) from None
