"""Text of others for a terminal or a log. No Django."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` with its unprintable characters escaped: a terminal would obey some of them."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )
