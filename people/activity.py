"""Writing the activity log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone

from people.models import Action, Activity

# How many rows of one name and address are written in a quarter of an hour before there is only
# one a minute: an attacker must not be able to fill the table.
_FREE = {Action.LOGIN_FAILED: 5, Action.LOCKED_OUT: 1}
# Their changes have revisions, and each revision its row.
_REVISED = ("plans", "licences")
_PEOPLE = {"user": Action.USER_CHANGED, "group": Action.GROUP_CHANGED}


def record_activity(
    request: HttpRequest | None,
    action: str,
    object: Any = "",
    detail: str = "",
    *,
    actor: str | None = None,
    document: str = "",
) -> None:
    """Add a row; `actor` is the request's user unless given."""
    if actor is None:
        user: Any = getattr(request, "user", None)
        actor = user.get_username() if user is not None else ""
    row = Activity(
        at=timezone.now(),
        actor=_printable(actor, 150),
        action=action,
        object=_printable(str(object), 255),
        detail=_printable(detail, 500),
        address=getattr(request, "client_address", ""),
        request_id=getattr(request, "request_id", ""),
        document=document,
    )
    if not _is_flood(row, row.at):
        row.save()


def _printable(text: str, length: int) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:length])


def _is_flood(row: Activity, now: datetime) -> bool:
    free = _FREE.get(Action(row.action))
    if free is None:
        return False
    same = Activity.objects.filter(action=row.action, actor=row.actor, address=row.address)
    recent = list(
        same.filter(at__gt=now - timedelta(minutes=15)).values_list("at", flat=True)[:free]
    )
    return len(recent) == free and recent[0] > now - timedelta(minutes=1)


class Recorded(admin.ModelAdmin):  # type: ignore[type-arg]
    """Mixin: every change in the admin has its row.

    Not a receiver for LogEntry: Django writes those of several objects without a signal, and they
    know neither address nor request.
    """

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Added in the admin."""
        return self._logged(request, [obj], super().log_addition(request, obj, message))

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Changed in the admin."""
        return self._logged(request, [obj], super().log_change(request, obj, message))

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Deleted in the admin, one or several."""
        objects = list(queryset)
        entries = super().log_deletions(request, queryset)
        return self._logged(request, objects, entries, "Deleted.")

    def _logged(
        self, request: HttpRequest, objects: Iterable[Any], entry: Any, detail: str = ""
    ) -> Any:
        for obj in objects:
            if obj._meta.app_label in _REVISED:
                continue
            text = detail or entry.get_change_message()
            record_activity(request, _action(obj), f"{obj._meta.verbose_name} {obj}", text)
        return entry


def _action(obj: Any) -> Action:
    return _PEOPLE.get(obj._meta.model_name, Action.OTHER)
