"""The document itself: all descriptions under the paths that `urls` serves."""

from __future__ import annotations

import functools
import json
from typing import Any

from django.urls import path
from drf_spectacular.generators import SchemaGenerator

from registry_token.openapi.failures import FailedAuthentications
from registry_token.openapi.issuances import Export, Issuances, OneIssuance, OneManifest, OneProof
from registry_token.openapi.parts import SECURITY_SCHEMES
from registry_token.openapi.probes import Healthz, Jwks, Readyz
from registry_token.openapi.simulate import Simulate
from registry_token.openapi.token import Token

VERSION = "1"  # of the API: the one in /api/v1/
_DESCRIPTION = """\
Exchanges an OIDC access token for a Docker registry token; shows what was issued, and why not.

Every error has the same form, whose `message` says what to do. Every answer has an `X-Request-ID`.
Wherever GET is answered below /api/, HEAD is, too."""

PATHS = (
    path("token", Token.as_view()),
    path("jwks", Jwks.as_view()),
    path("healthz", Healthz.as_view()),
    path("readyz", Readyz.as_view()),
    path("api/v1/simulate", Simulate.as_view()),
    path("api/v1/failed-authentications", FailedAuthentications.as_view()),
    path("api/v1/issuances", Issuances.as_view()),
    path("api/v1/issuances/export", Export.as_view()),
    path("api/v1/issuances/exports/<str:export_id>", OneManifest.as_view()),
    path("api/v1/issuances/<str:row_id>/proof", OneProof.as_view()),
    path("api/v1/issuances/<str:row_id>", OneIssuance.as_view()),
)
"""What is described, as in `urls`; the other paths of /token are left out."""


@functools.cache
def document() -> bytes:
    """The OpenAPI document as JSON; made once for each process."""
    generator = SchemaGenerator(patterns=list(PATHS))
    made: dict[str, Any] = generator.get_schema(request=None, public=True)
    made["info"] = {
        "title": "Registry Token Service",
        "version": VERSION,
        "description": _DESCRIPTION,
        "license": {"name": "Apache-2.0"},
    }
    made["components"]["securitySchemes"] = SECURITY_SCHEMES
    return json.dumps(made).encode()
