"""Asking for failed authentications: the parameters of their page and of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from issuances.counting.failures import Summary, summary
from issuances.finding.fields import TextField, TimeField
from issuances.finding.filters import PERIODS, FilterErrors, FilterForm

USUAL = timedelta(hours=24)
_EARLIEST = datetime.min.replace(tzinfo=UTC)
PARAMETERS = ("since", "from", "until", "reason")


class FailuresForm(FilterForm):
    """Since when, or from when until when, and for which reason."""

    since = forms.ChoiceField(
        required=False,
        label=_("Since"),
        choices=[("", "---"), *((name, name) for name in PERIODS)],
        error_messages={
            "invalid_choice": format_lazy(_("write one of {known}"), known=", ".join(PERIODS))
        },
    )
    reason = TextField(required=False, max_length=40, label=_("Reason"))

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        # `from` is no name in Python.
        self.fields["from"] = TimeField(required=False, label=_("From (UTC)"))
        self.fields["until"] = TimeField(required=False, label=_("Until (UTC, exclusive)"))
        self.order_fields(PARAMETERS)

    def found(self, now: datetime) -> Summary:
        """What is asked for; the last 24 hours where no time is given. Raises FilterErrors."""
        if not self.is_valid():
            raise self._wrong()
        given = self.cleaned_data
        end = given["until"] or now
        period = PERIODS.get(given["since"], USUAL)
        begin = given["from"] or end - min(period, end - _EARLIEST)
        if begin >= end:
            self.add_error("from", _("write a time before the end of the range"))
            raise self._wrong()
        return summary(begin, end, given["reason"])

    def _wrong(self) -> FilterErrors:
        return FilterErrors(
            {
                "filter" if name == NON_FIELD_ERRORS else name: [str(one) for one in said]
                for name, said in self.errors.items()
            }
        )


def as_dict(found: Summary) -> dict[str, Any]:
    """For JSON: times in UTC."""
    document = asdict(found)
    document["from"], document["until"] = _iso(document.pop("begin")), _iso(document.pop("end"))
    document["times"] = [one | {"at": _iso(one["at"])} for one in document["times"]]
    return document


def _iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
