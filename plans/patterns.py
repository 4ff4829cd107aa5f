"""Repository names and the patterns that match them. Pure: no database, no Django.

Names follow Distribution's scope grammar (docs/content/spec/auth/scope.md) and its limit of 255
characters. In a pattern `*` stands for any text within one path segment and `**` for whole
segments: any number of them, also none, at the beginning or in the middle, at least one at the
end. Patterns are anchored and case-sensitive.
"""

from __future__ import annotations

import re

MAX_NAME_LENGTH = 255
# Each costs time where a pattern is compiled, matched or compared; one needs three at most.
MAX_STARS = 16

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*(?::[0-9]+)?"
_NAME = re.compile(rf"(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*")

_ANY_SEGMENTS = "(?:[^/]+/)*"


def is_repository_name(name: str) -> bool:
    """Whether `name` is a repository name by Distribution's grammar, with or without a host."""
    return len(name) <= MAX_NAME_LENGTH and _NAME.fullmatch(name) is not None


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """The regular expression of a valid pattern, to be used with `fullmatch`.

    What stands between two stars is matched at the first place where it fits and never again
    elsewhere (an atomic group): the right answer for globs, and the time stays quadratic at worst
    in the length of the name, whatever the pattern.
    """
    first, *others = re.split(r"(?:^|/)\*\*(?=/|$)", pattern)
    if not others:
        return re.compile(_segments(first))
    *middle, last = (block.strip("/") for block in others)
    expression = f"{_segments(first)}/" if first else ""
    for block in filter(None, middle):
        expression += rf"(?>(?:[^/]+/)*?{_segments(block)}/)"
    if last:
        return re.compile(expression + _ANY_SEGMENTS + _segments(last))
    return re.compile(expression + _ANY_SEGMENTS + "[^/]+")


def _segments(block: str) -> str:
    return "/".join(_segment(segment) for segment in block.split("/"))


def _segment(segment: str) -> str:
    """The expression of one path segment; between its stars the first fit decides."""
    first, *others = (re.escape(part) for part in segment.split("*"))
    if not others:
        return first
    *middle, last = others
    fits = "".join(rf"(?>[^/]*?{part})" for part in middle if part)
    # Segments of a name are never empty, so a lone star is at least one character.
    return f"{first}{fits}[^/]*{last}" if first or fits or last else "[^/]+"
