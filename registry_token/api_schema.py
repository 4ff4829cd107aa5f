"""GET /api/v1/schema: the OpenAPI document; GET /api/v1/docs: the same for people, by Swagger UI.

Both say no more than the documentation does, so that anybody may see them.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from registry_token.errors import method_not_allowed


def schema(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3.0 as JSON."""
    if request.method not in ("GET", "HEAD"):
        return method_not_allowed(("GET", "HEAD"))
    # Imported late: nothing on the way of a token pays for drf-spectacular.
    from registry_token.openapi.document import document

    return HttpResponse(document(), content_type="application/json")


def docs(request: HttpRequest) -> HttpResponse:
    """The page on which each operation can be read and tried."""
    if request.method not in ("GET", "HEAD"):
        return method_not_allowed(("GET", "HEAD"))
    return render(request, "registry_token/api_docs.html")
