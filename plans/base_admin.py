"""What the catalogue's admins have in common: read-only history, and changes that are revisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from plans.revisions import catalogue_change


class ExactFilters(admin.ModelAdmin):  # type: ignore[type-arg]
    """An admin whose filters compare, and do no more."""

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """A regular expression in the URL can keep a worker busy."""
        allowed: bool = super().lookup_allowed(lookup, value, request)
        return allowed and lookup.partition("__")[2] in ("", "exact")


class HistoryAdmin(ExactFilters):
    """A history, to be read only."""

    # Counting a long history takes longer than showing a page of it.
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """History is written by changes alone."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes history."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes history."""
        return False


class RevisionedAdmin(ExactFilters):
    """An admin whose every change, single or in bulk, is one numbered revision by its user."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Add and change."""
        return self.as_one_change(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Delete one."""
        return self.as_one_change(request, super().delete_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Actions on several."""
        return self.as_one_change(request, super().changelist_view, *args, **kwargs)

    def as_one_change(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The view's answer; what it changes is one revision, with the reason that was typed."""
        if request.method != "POST":
            return view(request, *args, **kwargs)
        # Each form judges its reason; what it refuses is no change, so no revision.
        reason = request.POST.get("reason", "").strip()
        with catalogue_change(actor=request.user.get_username(), source="admin", reason=reason):
            return view(request, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save only what has changed: a revision without a difference would say nothing."""
        if not change or form.has_changed():
            super().save_model(request, obj, form, change)
