"""The one filter of the issuance log, for its page, the API, exports and commands.

It says two things: which rows match, and by which index they are found (`access_paths`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import django_filters
from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from issuances.access_paths import GREATEST, LEAST
from issuances.expressions import ASKED, COLUMNS, GRANTED, HasResource, NotAllGranted
from issuances.fields import (
    AddressField,
    IdField,
    LicenceField,
    PrefixField,
    RevisionField,
    TextField,
    TimeField,
)
from issuances.identifiers import first_uuid7
from issuances.models import Issuance

PERIODS = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
OUTCOMES = (
    ("granted", gettext_lazy("granted")),
    ("part", gettext_lazy("granted in part")),
    ("refused", gettext_lazy("refused")),
)
COMPARED = (
    (ASKED, gettext_lazy("what was asked for")),
    (GRANTED, gettext_lazy("what was granted")),
)
# Compared with one and the same resource.
_OF_RESOURCE = {"repository": "name", "repository_prefix": "prefix", "action": "action"}
_EQUAL = {
    "reason": "refusal",
    "plan": "plan",
    "service": "service",
    "subject": "subject",
    "client": "client_id",
    "licence": "licence__in",
    "tenant": "tenant",
    "address": "remote_address",
    "request_id": "request_id",
    "revision": "catalogue_revision",
}


class FilterErrors(ValueError):
    """What is wrong with a filter: by parameter, sentences that say how to write it."""

    def __init__(self, problems: Mapping[str, list[str]]) -> None:
        self.problems = dict(problems)
        super().__init__(
            "; ".join(f"{name}: {' '.join(said)}" for name, said in self.problems.items())
        )


@dataclass(frozen=True, slots=True)
class Filtered:
    """The rows that match: by parameter its value and condition, and the range of their ids."""

    values: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Q] = field(default_factory=dict)
    low: UUID = LEAST
    high: UUID = GREATEST

    @property
    def rows(self) -> QuerySet[Issuance]:
        """All of them, newest first; how long that takes is up to the database."""
        return Issuance.objects.filter(*self.conditions.values(), *self._range())

    def _range(self) -> Iterable[Q]:
        if self.low != LEAST:
            yield Q(id__gte=self.low)
        if self.high != GREATEST:
            yield Q(id__lt=self.high)


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


def _parameter(field_class: type[forms.Field], label: Any) -> Any:
    parameter = django_filters.Filter(label=label)
    parameter.field_class = field_class
    return parameter


def _choice(choices: Iterable[tuple[str, Any]], label: Any) -> Any:
    known = ", ".join(value for value, _label in choices)
    wrong = format_lazy(gettext_lazy("write one of {known}"), known=known)
    return django_filters.ChoiceFilter(
        choices=choices, label=label, error_messages={"invalid_choice": wrong}
    )


class IssuanceFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Reads the parameters; `filtered` is what they mean. `others` are parameters that belong to
    the page around it.
    """

    outcome = _choice(OUTCOMES, gettext_lazy("Outcome"))
    reason = _parameter(TextField, gettext_lazy("Reason of the refusal"))
    plan = _parameter(TextField, gettext_lazy("Plan"))
    service = _parameter(TextField, gettext_lazy("Service"))
    subject = _parameter(TextField, gettext_lazy("Subject"))
    client = _parameter(TextField, gettext_lazy("Client"))
    licence = _parameter(LicenceField, gettext_lazy("Licence"))
    tenant = _parameter(TextField, gettext_lazy("Tenant"))
    repository = _parameter(TextField, gettext_lazy("Repository"))
    repository_prefix = _parameter(PrefixField, gettext_lazy("Repository begins with"))
    action = _parameter(TextField, gettext_lazy("Action"))
    compare = _choice(COMPARED, gettext_lazy("Compare with"))
    address = _parameter(AddressField, gettext_lazy("Address"))
    request_id = _parameter(TextField, gettext_lazy("Request id"))
    jti = _parameter(IdField, "jti")
    revision = _parameter(RevisionField, gettext_lazy("Catalogue revision"))
    since = _choice([(name, name) for name in PERIODS], gettext_lazy("Since"))

    class Meta:
        model = Issuance
        fields: list[str] = []
        form = FilterForm

    def __init__(
        self, data: Mapping[str, Any], *, others: Iterable[str] = (), now: datetime | None = None
    ) -> None:
        own = data.copy() if isinstance(data, QueryDict) else dict(data)
        for name in others:
            own.pop(name, None)
        super().__init__(own)
        self.now = now or datetime.now(UTC)

    @classmethod
    def get_filters(cls) -> dict[str, Any]:
        """`from` is no name in Python."""
        bounds = {
            "from": _parameter(TimeField, gettext_lazy("From (UTC)")),
            "until": _parameter(TimeField, gettext_lazy("Until (UTC, exclusive)")),
        }
        return {**super().get_filters(), **bounds}

    def filter_queryset(self, queryset: Any) -> QuerySet[Issuance]:
        """The rows that match. `qs` of an invalid filter has none (see `filtered`)."""
        return self.filtered.rows

    @property
    def problems(self) -> dict[str, list[str]]:
        """By parameter; the empty name is for what belongs to none."""
        return {
            "" if name == NON_FIELD_ERRORS else name: [str(one) for one in said]
            for name, said in self.errors.items()
        }

    @property
    def filtered(self) -> Filtered:
        """Raises FilterErrors."""
        if not self.is_valid():
            raise FilterErrors({name or _("filter"): said for name, said in self.problems.items()})
        cleaned = self.form.cleaned_data
        values = {name: value for name, value in cleaned.items() if value or value == 0}
        low, high = self._bounds(values)
        return Filtered(values, _conditions(values), low, high)

    def _bounds(self, values: Mapping[str, Any]) -> tuple[UUID, UUID]:
        begin, end = values.get("from"), values.get("until")
        if "since" in values:
            begin = self.now - PERIODS[values["since"]]
        low = first_uuid7(begin) if begin else LEAST
        high = first_uuid7(end) if end else GREATEST
        if "jti" in values:  # the row's id
            low = max(low, values["jti"])
            high = min(high, UUID(int=min(values["jti"].int + 1, GREATEST.int)))
        return low, high


def _conditions(values: Mapping[str, Any]) -> dict[str, Q]:
    conditions = {
        name: Q(**{lookup: values[name]}) for name, lookup in _EQUAL.items() if name in values
    }
    if "outcome" in values:
        conditions["outcome"] = _outcome(values["outcome"])
    wanted = {argument: values[name] for name, argument in _OF_RESOURCE.items() if name in values}
    if wanted:
        column = COLUMNS[values.get("compare", ASKED)]
        conditions["resource"] = Q(HasResource(column, **wanted))
    return conditions


def _outcome(outcome: str) -> Q:
    if outcome == "refused":
        return ~Q(refusal="")
    exceptional = Q(NotAllGranted())
    return exceptional & Q(refusal="") if outcome == "part" else ~exceptional
