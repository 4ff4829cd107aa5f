"""What Django's debugging pages show: where it broke, and nothing of what was sent.

`debug` is for development, but a real access token gets there soon enough, and the page goes to
whoever asked for it.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter


class Reporter(ExceptionReporter):
    """Django's, without the request and without the values of variables."""

    def __init__(self, request: HttpRequest | None, *args: Any, **kwargs: Any) -> None:
        super().__init__(None, *args, **kwargs)

    def get_traceback_frames(self) -> list[dict[str, Any]]:
        """The frames with their lines of code."""
        frames: list[dict[str, Any]] = super().get_traceback_frames()
        return [frame | {"vars": []} for frame in frames]
