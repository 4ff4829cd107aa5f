"""Arguments of commands: text to value, or what to write instead."""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime


def time_in(text: str) -> datetime:
    """A date or a time; UTC where it names no zone. Raises argparse.ArgumentTypeError."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        example = "2026-11-25 or 2026-11-25T14:00:00Z"
        message = f"{text!r} is no time; write a date or a time in UTC such as {example}"
        raise argparse.ArgumentTypeError(message) from None


def day_in(text: str) -> datetime:
    """When a day begins, in UTC. Raises argparse.ArgumentTypeError."""
    try:
        return datetime.combine(date.fromisoformat(text), datetime.min.time(), UTC)
    except ValueError:
        message = f"{text!r} is no date; write YYYY-MM-DD"
        raise argparse.ArgumentTypeError(message) from None
