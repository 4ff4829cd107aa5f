"""The parameters of a filter as the fields of a form, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

PERIODS = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}


class FilterErrors(ValueError):
    """What is wrong with a filter: by parameter, sentences that say how to write it."""

    def __init__(self, problems: Mapping[str, list[str]]) -> None:
        self.problems = dict(problems)
        super().__init__(
            "; ".join(f"{name}: {' '.join(said)}" for name, said in self.problems.items())
        )


class FilterForm(forms.Form):
    """The parameters together."""

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError for what is not a parameter's own fault."""
        cleaned = super().clean() or {}
        given = self.data
        for name in sorted(set(given) - set(self.fields)):
            raise ValidationError(
                _("unknown parameter %(name)s; the parameters are %(known)s"),
                params={"name": name[:64], "known": ", ".join(self.fields)},
            )
        for name in given:
            if isinstance(given, QueryDict) and len(given.getlist(name)) > 1:
                self.add_error(name, _("give it once"))
        if cleaned.get("since") and (cleaned.get("from") or cleaned.get("until")):
            self.add_error("since", _("give either since, or from and until"))
        begin, end = cleaned.get("from"), cleaned.get("until")
        if begin and end and begin >= end:
            self.add_error("until", _("must be later than from; it is not part of the range"))
        return cleaned


def parameter(field_class: type[forms.Field], label: Any) -> Any:
    """A parameter that this kind of field reads."""
    parameter = django_filters.Filter(label=label)
    parameter.field_class = field_class
    return parameter


def choice(choices: Iterable[tuple[str, Any]], label: Any) -> Any:
    """A parameter that has one of these values; the error names them."""
    known = ", ".join(value for value, _label in choices)
    wrong = format_lazy(gettext_lazy("write one of {known}"), known=known)
    return django_filters.ChoiceFilter(
        choices=choices, label=label, error_messages={"invalid_choice": wrong}
    )
