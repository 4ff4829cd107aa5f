"""Identifiers that sort by time: UUID version 7, RFC 9562, 5.7."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from uuid import UUID

FIRST_ID, LAST_ID = UUID(int=0), UUID(int=2**128 - 1)
"""The ends of a range of rows that has none."""

_LAST_MILLISECOND = 253_402_300_799_999  # of the year 9999


def uuid7(now: datetime) -> UUID:
    """48 bits of milliseconds since 1970, then 74 random bits."""
    milliseconds = int(now.timestamp() * 1000)
    random = int.from_bytes(os.urandom(10))
    random_a, random_b = random >> 68, random & (1 << 62) - 1
    return UUID(int=milliseconds << 80 | 0x7 << 76 | random_a << 64 | 0b10 << 62 | random_b)


def first_uuid7(at: datetime) -> UUID:
    """The least that can be made at this time or later: where a range of rows by time begins."""
    milliseconds = max(0, int(at.timestamp() * 1000))
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62)


def next_id(row_id: UUID) -> UUID:
    """The least one that is greater; the last one has none, and is given back."""
    return UUID(int=min(row_id.int + 1, LAST_ID.int))


def previous_id(row_id: UUID) -> UUID:
    """The greatest one that is less; the first one has none, and is given back."""
    return UUID(int=max(row_id.int - 1, 0))


def time_of(uuid: UUID) -> datetime:
    """When it was made, to the millisecond; for the edge of a range the last that there is."""
    milliseconds = min(uuid.int >> 80, _LAST_MILLISECOND)
    return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(
        microsecond=milliseconds % 1000 * 1000
    )
