"""Rows that are selected in a table of the admin, for an action on several."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from registry_token.pages.site import row_number


class NumberedRows(admin.ModelAdmin):  # type: ignore[type-arg]
    """Mixin: who sends what is no row's number is told so. Django gives it to the database."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list."""
        selected = request.POST.getlist(ACTION_CHECKBOX_NAME)
        if any(row_number(number) is None for number in selected):
            messages.error(request, _("What is selected cannot be read; select them again."))
            return HttpResponseRedirect(request.get_full_path())
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response
