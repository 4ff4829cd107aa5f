"""The one filter of the issuance log, for its page, the API, exports and commands.

It says two things: which rows match (`filtered`), and by which index they are found
(`access_paths`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import django_filters
from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from issuances.finding.fields import (
    AddressField,
    IdField,
    LicenceField,
    PrefixField,
    RevisionField,
    TextField,
    TimeField,
)
from issuances.finding.filter_forms import PERIODS, FilterErrors, FilterForm, choice, parameter
from issuances.finding.filtered import Filtered, conditions_of
from issuances.identifiers import FIRST_ID, LAST_ID, first_uuid7, next_id
from issuances.models import Issuance
from issuances.resources import ASKED, GRANTED

__all__ = (
    "COMPARED",
    "OUTCOMES",
    "PERIODS",
    "FilterErrors",
    "FilterForm",
    "Filtered",
    "IssuanceFilter",
)

OUTCOMES = (
    ("granted", gettext_lazy("granted")),
    ("part", gettext_lazy("granted in part")),
    ("refused", gettext_lazy("refused")),
)
COMPARED = (
    (ASKED, gettext_lazy("what was asked for")),
    (GRANTED, gettext_lazy("what was granted")),
)


class IssuanceFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Reads the parameters; `filtered` is what they mean. `others` are parameters that belong to
    the page around it.
    """

    outcome = choice(OUTCOMES, gettext_lazy("Outcome"))
    reason = parameter(TextField, gettext_lazy("Reason of the refusal"))
    plan = parameter(TextField, gettext_lazy("Plan"))
    service = parameter(TextField, gettext_lazy("Service"))
    subject = parameter(TextField, gettext_lazy("Subject"))
    client = parameter(TextField, gettext_lazy("Client"))
    licence = parameter(LicenceField, gettext_lazy("Licence"))
    tenant = parameter(TextField, gettext_lazy("Tenant"))
    repository = parameter(TextField, gettext_lazy("Repository"))
    repository_prefix = parameter(PrefixField, gettext_lazy("Repository begins with"))
    action = parameter(TextField, gettext_lazy("Action"))
    compare = choice(COMPARED, gettext_lazy("Compare with"))
    address = parameter(AddressField, gettext_lazy("Address"))
    request_id = parameter(TextField, gettext_lazy("Request id"))
    jti = parameter(IdField, "jti")
    revision = parameter(RevisionField, gettext_lazy("Catalogue revision"))
    since = choice([(name, name) for name in PERIODS], gettext_lazy("Since"))

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
            "from": parameter(TimeField, gettext_lazy("From (UTC)")),
            "until": parameter(TimeField, gettext_lazy("Until (UTC, exclusive)")),
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
        return Filtered(values, conditions_of(values), low, high)

    def _bounds(self, values: Mapping[str, Any]) -> tuple[UUID, UUID]:
        begin, end = values.get("from"), values.get("until")
        if "since" in values:
            begin = self.now - PERIODS[values["since"]]
        low = first_uuid7(begin) if begin else FIRST_ID
        high = first_uuid7(end) if end else LAST_ID
        if "jti" in values:  # the row's id
            low = max(low, values["jti"])
            high = min(high, next_id(values["jti"]))
        return low, high
