"""The form above the issuance log: the one filter's parameters, with what can be chosen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from issuances.finding.filters import COMPARED, OUTCOMES, IssuanceFilter
from issuances.refusals import REFUSALS, refusal_in_words
from issuances.resources import ASKED, GRANTED
from plans.models import Plan

# Of the page, beside the filter's own: where it begins, and where somebody wants it to begin.
OF_PAGE = ("before", "after", "at")
_HELP = {
    "licence": gettext_lazy("In any spelling of upper and lower case"),
    "repository": gettext_lazy("The whole name"),
    "repository_prefix": gettext_lazy("Such as acme/"),
    "compare": gettext_lazy("Repository and action"),
    "from": gettext_lazy("Such as 2026-11-25 or 2026-11-25T14:00"),
    "until": gettext_lazy("Not part of the range"),
}
PERIODS_IN_WORDS = {
    "1h": gettext_lazy("the last hour"),
    "24h": gettext_lazy("the last 24 hours"),
    "7d": gettext_lazy("the last 7 days"),
    "30d": gettext_lazy("the last 30 days"),
}
_ACTIONS = ("pull", "push", "delete", "*")


def form_of(issuance_filter: IssuanceFilter) -> forms.Form:
    """The filter's form as the page shows it."""
    form: forms.Form = issuance_filter.form
    refusals = [(code, f"{refusal_in_words(code)} ({code})") for code in REFUSALS]
    _choose(form, "reason", [*refusals, *_other(form, "reason", REFUSALS)])
    _choose(form, "action", [(name, name) for name in _ACTIONS] + _other(form, "action", _ACTIONS))
    _choose(form, "since", list(PERIODS_IN_WORDS.items()))
    _choose(form, "outcome", OUTCOMES)
    _choose(form, "compare", [(GRANTED, dict(COMPARED)[GRANTED])], dict(COMPARED)[ASKED])
    for name in ("plan", "service"):
        form.fields[name].widget.attrs["list"] = f"{name}s"
    for name, field in form.fields.items():
        field.help_text = _HELP.get(name, "")
        field.widget.attrs["autocomplete"] = "off"
    return form


def suggestions() -> dict[str, list[str]]:
    """For the fields that take any text: what is likely."""
    return {
        "plans": list(Plan.objects.values_list("name", flat=True)),
        "services": list(settings.REGISTRY_SERVICES),
    }


def shown_values(form: forms.Form) -> list[tuple[str, str]]:
    """What the filter says now, for people: label and value."""
    return [
        (str(field.label), form.data[name])
        for name, field in form.fields.items()
        if form.data.get(name)
    ]


def without_empty(query: QueryDict) -> str | None:
    """The query without the fields that a browser has sent empty; None if there are none."""
    if all(value for values in query.lists() for value in values[1]):
        return None
    kept = QueryDict(mutable=True)
    for name, values in query.lists():
        if filled := [value.strip() for value in values if value.strip()]:
            kept.setlist(name, filled)
    return kept.urlencode()


def filter_query(query: QueryDict) -> str:
    """The filter's own part of a URL."""
    own = query.copy()
    for name in OF_PAGE:
        own.pop(name, None)
    return own.urlencode()


def _choose(
    form: forms.Form, name: str, choices: Iterable[tuple[str, Any]], otherwise: Any = ""
) -> None:
    widget = forms.Select(choices=[("", otherwise or _("any")), *choices])
    form.fields[name].widget = widget


def _other(form: forms.Form, name: str, known: Any) -> list[tuple[str, Any]]:
    """A value that came by a URL stays chosen, known or not."""
    value = form.data.get(name, "")
    return [(value, value)] if value and value not in known else []
