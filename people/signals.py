"""Logging in and out, as the activity log has it."""

from __future__ import annotations

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from people.activity import record_activity
from people.models import Action


@receiver(user_logged_in)
def logged_in(request: Any, user: Any, **kwargs: Any) -> None:
    """Somebody came in."""
    record_activity(request, Action.LOGGED_IN, actor=user.get_username())


@receiver(user_logged_out)
def logged_out(request: Any, user: Any, **kwargs: Any) -> None:
    """Somebody left, or was away for too long."""
    if user is not None:
        record_activity(request, Action.LOGGED_OUT, actor=user.get_username())


@receiver(user_login_failed)
def login_failed(credentials: Any, request: Any = None, **kwargs: Any) -> None:
    """Somebody did not get in. The name alone is written, never what was typed as password."""
    name = str(credentials.get("username") or "")
    record_activity(request, Action.LOGIN_FAILED, actor=name)


@receiver(user_locked_out)
def locked_out(request: Any, username: str, **kwargs: Any) -> None:
    """Somebody did not get in too often, and goes on trying."""
    record_activity(request, Action.LOCKED_OUT, actor=username)
