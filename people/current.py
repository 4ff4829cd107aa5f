"""The request that a browser's page is about to answer, for those whom nobody hands it."""

from __future__ import annotations

from contextvars import ContextVar

from django.http import HttpRequest

current_request: ContextVar[HttpRequest | None] = ContextVar("current request", default=None)
