"""GET /api/v1/simulate: the simulator for programs."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from registry_token.api import ApiView, require, values_of
from registry_token.errors import MalformedRequest
from registry_token.log_access import AUDIT_SCOPE, VIEW_LOG
from registry_token.replay import Asked
from registry_token.simulation import simulate
from registry_token.simulation_sources import (
    CURRENT,
    Source,
    Unanswerable,
    as_of,
    asked_before,
    asked_by,
)

_CLAIMS = ("plan", "licence", "service")


class SimulateView(ApiView):
    """Result and trace. A refusal is an answer like any other: 200."""

    permission = "plans.view_plan"
    scope = "registry.catalogue.read"

    def get(self, request: Request) -> Response:
        """By plan, licence, service and scopes, or by the id of a request in the log."""
        given = values_of(request, single=(*_CLAIMS, "revision", "request_id"), many=("scope",))
        try:
            return Response(simulate(_asked(request, given), _source(given)).as_dict())
        except Unanswerable as error:
            raise MalformedRequest(str(error)) from None


def _asked(request: Request, given: dict[str, Any]) -> Asked:
    if given["request_id"] is None:
        claims = {name: given[name] for name in _CLAIMS}
        return asked_by(**claims, scopes=given["scope"])
    # What somebody asked stands in the log, not in the catalogue.
    require(request, VIEW_LOG, AUDIT_SCOPE)
    if given["scope"] or any(given[name] is not None for name in _CLAIMS):
        raise MalformedRequest("request_id says it all: leave plan, licence, service, scope out")
    return asked_before(given["request_id"])


def _source(given: dict[str, Any]) -> Source:
    number = given["revision"]
    if number is None:
        return CURRENT
    if not (number.isascii() and number.isdigit() and len(number) < 20):
        raise MalformedRequest("revision must be the number of a catalogue revision, such as 7")
    return as_of(int(number))
