"""Reading the issuance log in the browser. Nobody adds, changes or deletes a row there."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from issuances.models import Issuance


class OutcomeFilter(admin.SimpleListFilter):
    """Granted or refused. The values are known, so no query has to look for them."""

    title = _("outcome")
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two outcomes."""
        return [("granted", str(_("granted"))), ("refused", str(_("refused")))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """The rows of the chosen outcome."""
        match self.value():
            case "granted":
                return queryset.filter(refusal="")
            case "refused":
                return queryset.exclude(refusal="")
        return queryset


@admin.register(Issuance)
class IssuanceAdmin(admin.ModelAdmin):
    """The log, newest first."""

    list_display = ("time", "subject", "plan", "licence", "service", "asked", "outcome")
    list_filter = (OutcomeFilter,)
    search_fields = ("=subject", "=licence", "=plan", "=request_id")
    search_help_text = _("A whole subject, licence, plan or request id")
    exclude = ("created_at", "catalogue_revision")
    readonly_fields = ("time", "decided_by")
    # Counting a large table takes longer than showing a page of it.
    show_full_result_count = False

    @admin.display(description=_("time (UTC)"), ordering="id")
    def time(self, issuance: Issuance) -> str:
        """To the second, as the log lines have it."""
        return f"{issuance.created_at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("catalogue revision"))
    def decided_by(self, issuance: Issuance) -> str:
        """The number of the revision that decided, with the way to its page."""
        number = issuance.catalogue_revision
        url = reverse("admin:plans_cataloguerevision_change", args=[number])
        return format_html('<a href="{}">{}</a>', url, number)

    @admin.display(description=_("asked for"))
    def asked(self, issuance: Issuance) -> str:
        """The requested access in the form of scopes."""
        return " ".join(
            f"{entry['type']}:{entry['name']}:{','.join(entry['actions'])}"
            if entry["type"]
            else entry["name"]  # a scope that did not parse
            for entry in issuance.requested
        )

    @admin.display(description=_("outcome"), ordering="refusal")
    def outcome(self, issuance: Issuance) -> str:
        """Granted as a whole or in part, or the code of the refusal."""
        if issuance.refusal:
            return issuance.refusal
        return "granted" if issuance.granted == issuance.requested else "granted in part"

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """No filter but the one above: others can keep the database or a worker busy."""
        return lookup == OutcomeFilter.parameter_name

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows are written by decisions alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes the log."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes from the log."""
        return False
