"""Reading the activity log in the browser."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from people.models import Activity


@admin.register(Activity)
class ActivityAdmin(admin.ModelAdmin):
    """The log, newest first, to be read only."""

    list_display = ("at", "actor", "action", "object", "detail", "address")
    list_filter = ("action",)
    search_fields = ("=actor", "=object", "=address", "=request_id")
    search_help_text = _("A whole user name, object, address or request id")
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """No filter but the one above: others can keep the database or a worker busy."""
        return lookup in ("action", "action__exact")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows are written by what people do."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes the log."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes from the log."""
        return False
