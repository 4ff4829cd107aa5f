"""Validation shared by the models: text that every database can store and every log can show."""

from __future__ import annotations

from django.core.exceptions import ValidationError


def validate_printable(value: str) -> None:
    """Raise ValidationError for control characters, NUL and lone surrogates among them."""
    if not value.isprintable():
        raise ValidationError("must be printable text of one line")
