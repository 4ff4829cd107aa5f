"""Validation shared by the models: text that every database can store and every log can show."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


def validate_printable(value: str) -> None:
    """Raise ValidationError for control characters, NUL and lone surrogates among them."""
    if not value.isprintable():
        raise ValidationError(_("must be printable text of one line"))
