"""The paths of the service.

/token answers with and without a slash, and under /auth too, where registries with `autoredirect`
send their clients. Never by a redirect: a POST would become a GET, and credentials get lost.
"""

from __future__ import annotations

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from registry_token import errors
from registry_token.api_failures import FailedAuthenticationsView
from registry_token.api_issuances import ExportView, IssuancesView, IssuanceView, ManifestView
from registry_token.api_proof import ProofView
from registry_token.api_schema import docs, schema
from registry_token.api_simulate import SimulateView
from registry_token.health import healthz, readyz
from registry_token.views import TokenView, jwks

TOKEN_PATHS = ("token", "token/", "auth/token", "auth/token/")

token = TokenView.as_view()

urlpatterns = [
    *(path(route, token) for route in TOKEN_PATHS),
    path("jwks", jwks),
    path("healthz", healthz),
    path("readyz", readyz),
    path("api/v1/schema", schema, name="api-schema"),
    path("api/v1/docs", docs, name="api-docs"),
    path("api/v1/simulate", SimulateView.as_view()),
    path("api/v1/failed-authentications", FailedAuthenticationsView.as_view()),
    path("api/v1/issuances", IssuancesView.as_view(), name="api-issuances"),
    path("api/v1/issuances/export", ExportView.as_view(), name="api-issuances-export"),
    path(
        "api/v1/issuances/exports/<str:export_id>",
        ManifestView.as_view(),
        name="api-issuances-manifest",
    ),
    path("api/v1/issuances/<str:row_id>/proof", ProofView.as_view(), name="api-proof"),
    path("api/v1/issuances/<str:row_id>", IssuanceView.as_view(), name="api-issuance"),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
]

handler400 = errors.bad_request
handler403 = errors.permission_denied
handler404 = errors.not_found
handler500 = errors.server_error
