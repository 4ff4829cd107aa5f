"""The log: one JSON object a line, so that nothing a caller sends can forge a line."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from issuances import printing

decisions = logging.getLogger("registry_token.decisions")

# No line says which thread wrote it, or the name of its process. Finding out costs as much as the
# rest of a record.
logging.logThreads = logging.logMultiprocessing = False


class JsonFormatter(logging.Formatter):
    """Time, level, logger and message of a record, and the members of its `fields`, a dict or the
    text of a JSON object.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (
            request_id := getattr(getattr(record, "request", None), "request_id", None)
        ) is not None:
            line["request_id"] = request_id
        fields = getattr(record, "fields", {})
        if isinstance(fields, dict):
            line |= fields
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        text = encoded(line)
        return f"{text[:-1]}, {fields[1:]}" if isinstance(fields, str) else text


def _text(value: Any) -> str:
    """Times as RFC 3339 has them, anything else as it prints."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


encoded = json.JSONEncoder(default=_text).encode
"""The JSON of a value, on one line."""


class WithoutTraceback(logging.Filter):
    """Drops tracebacks: a hostile Host header is worth a line, not forty."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true."""
        record.exc_info = None
        return True


def log_decision(message: str, fields: str) -> None:
    """A decision's line: `fields` is the JSON object of its row."""
    # Not by `info`, which looks up the caller's line of code.
    if decisions.isEnabledFor(logging.INFO):
        decisions.handle(
            decisions.makeRecord(
                decisions.name, logging.INFO, "", 0, message, (), None, extra={"fields": fields}
            )
        )


def printable(text: str, length: int) -> str:
    """`text` with its unprintable characters escaped, cut to `length` characters.

    What PostgreSQL cannot store (NUL, lone surrogates) is among them.
    """
    return printing.printable(text)[:length]
