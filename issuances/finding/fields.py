"""Reading the filter's parameters: text to value, or what is wrong and how to write it."""

from __future__ import annotations

import ipaddress
import unicodedata
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

MAX_REVISION = 2**63 - 1


class TextField(forms.CharField):
    """One line, as long as the log's columns."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"max_length": 255} | options))


class PrefixField(TextField):
    """How a repository's name begins."""

    default_validators = [
        RegexValidator(r"\A[!-~]+\Z", _("write how repositories' names begin, such as acme/"))
    ]


class AddressField(TextField):
    """An IP address in the form that the log has it."""

    def clean(self, value: Any) -> str:
        """Raises ValidationError."""
        text = super().clean(value)
        try:
            return text and str(ipaddress.ip_address(text))
        except ValueError:
            message = _("write an IP address such as 192.0.2.7 or 2001:db8::7")
            raise ValidationError(message) from None


class IdField(TextField):
    """A row's id, which is its token's jti."""

    def clean(self, value: Any) -> Any:
        """Raises ValidationError."""
        text = super().clean(value)
        try:
            return UUID(text) if text else None
        except ValueError:
            message = _("write a jti such as 01932f5b-1c2d-7a3e-9f00-2b4c6d8e0f12")
            raise ValidationError(message) from None


class RevisionField(TextField):
    """A number of the catalogue's history."""

    def clean(self, value: Any) -> int | None:
        """Raises ValidationError."""
        text = super().clean(value)
        if text and not (text.isascii() and text.isdigit() and int(text) <= MAX_REVISION):
            raise ValidationError(_("write a catalogue revision's number such as 42"))
        return int(text) if text else None


class LicenceField(TextField):
    """A licence in the spellings that a caller's token may have it."""

    def clean(self, value: Any) -> set[str]:
        """Raises ValidationError."""
        text = super().clean(value)
        return spellings(text) if text else set()


class TimeField(TextField):
    """A date or a time, UTC where it names no zone."""

    def clean(self, value: Any) -> datetime | None:
        """Raises ValidationError."""
        text = super().clean(value)
        try:
            time = datetime.fromisoformat(text) if text else None
            if time is None or time.tzinfo is not None:
                return time and time.astimezone(UTC)
            return time.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            message = _("write a date or a time in UTC such as 2026-11-25 or 2026-11-25T14:00:00Z")
            raise ValidationError(message) from None


def spellings(licence: str) -> set[str]:
    """As it stands, in lower and upper case, and the same in the usual Unicode form."""
    usual = unicodedata.normalize("NFKC", licence)
    variants = {licence, usual}
    return variants | {
        change(text) for text in variants for change in (str.lower, str.upper, str.casefold)
    }
