"""Rows as CSV (RFC 4180) that a spreadsheet opens without executing anything.

The fields are those of the canonical form, in the order of the columns. Texts are quoted; null is
nothing at all, an empty text `""`. What a spreadsheet might take for a formula has one `'` before
it, and so has what begins with `'`: whoever reads the file takes one `'` away. That is done where a
text begins, and within it after what some spreadsheets take for the end of a cell, whatever quotes
say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from issuances.encoding import FIELDS, canonical, fields_of_values

# How formulas begin, in wide characters, too; and blanks which spreadsheets skip before them.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")
# The end of a cell where a semicolon or a tab separates them, and of a line. There, quotes in the
# middle of what was one cell stand at the beginning of another.
ENDS = (";", "\t", "\r", "\n")
DANGEROUS_WITHIN = (*DANGEROUS, '"')
HEAD = (",".join(FIELDS) + "\r\n").encode()
# What is no text of anybody's: ids, times and numbers need neither quotes nor care.
BARE = frozenset({"id", "created_at", "jti", "expires_at", "catalogue_revision"})


_END = re.compile(f"[{''.join(ENDS)}]")
_WITHIN = re.compile(f"(?<=[{''.join(ENDS)}])(?=[{re.escape(''.join(DANGEROUS_WITHIN))}])")
_ADDED = re.compile(f"(?:\\A|(?<=[{''.join(ENDS)}]))'")


def neutral(text: str) -> str:
    """The text, harmless in a spreadsheet."""
    begin = "'" if text.startswith(DANGEROUS) else ""
    return begin + (_WITHIN.sub("'", text) if _END.search(text) else text)  # that is quicker


def original(cell: str) -> str:
    """What `neutral` was given."""
    return _ADDED.sub("", cell)


def cell_of(text: str) -> str:
    """The text as a quoted cell."""
    return '"' + neutral(text).replace('"', '""') + '"'


def csv_line_of_values(values: Sequence[Any]) -> str:
    """A row's values in the order of `FIELDS` as a line, with its end."""
    cells = (_cell(name, value) for name, value in fields_of_values(values).items())
    return ",".join(cells) + "\r\n"


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in BARE:
        return str(value)
    return cell_of(value if isinstance(value, str) else canonical(value))
