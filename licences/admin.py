"""Revoking licences in the browser. Each change is one catalogue revision."""

from __future__ import annotations

from django.contrib import admin

from licences.models import RevokedLicence
from plans.admin import RevisionedAdmin


@admin.register(RevokedLicence)
class RevokedLicenceAdmin(RevisionedAdmin):
    """The deny list. Deleting a row reinstates the licence."""

    list_display = ("licence", "revoked_at", "reason")
    search_fields = ("licence", "reason")
    readonly_fields = ("revoked_at",)
