"""What people may do with the issuance log in the browser: read. Its pages are the project's."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest


class IssuanceAdmin(admin.ModelAdmin):
    """The project registers a subclass that has the pages."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows are written by decisions alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes the log."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes from the log."""
        return False
