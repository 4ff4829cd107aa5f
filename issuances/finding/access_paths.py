"""Ways into the log: for what is asked for, the index that leads to its rows, newest first.

A branch reads one index from one row on, and no other: its condition and its order name both of
the index's columns (see `expressions.Within`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable

from issuances.expressions import (
    AskedMany,
    AskedMore,
    AskedRarely,
    AskedSeveral,
    FirstName,
    NotAllGranted,
    OutcomeCode,
    SecondName,
    ThirdName,
    Within,
)
from issuances.models import Issuance

RARE_ACTIONS = ("delete", "*")
_ALWAYS, _EXCEPTIONS = Q(), Q(NotAllGranted())
_MANY = 12  # values that begin alike; with more, it is quicker to look at all rows


@dataclass(frozen=True, slots=True)
class Branch:
    """The rows where `key` has `value`, in the order of their ids; without a key all rows.

    `where` repeats the condition of a partial index.
    """

    key: Combinable | None = None
    value: Any = None
    where: Q = _ALWAYS

    def rows(self, low: UUID, high: UUID, *, descending: bool) -> QuerySet[Issuance]:
        """Those from `low` to before `high`."""
        rows = Issuance.objects.filter(self.where, id__gte=low, id__lt=high)
        order: list[Any] = [F("id")]
        if self.key is not None:
            rows = rows.filter(Within(self.key, self.value, low, high))
            if connection.vendor == "postgresql":
                order.insert(0, self.key)
        if descending:
            return rows.order_by(*(key.desc() for key in order))
        return rows.order_by(*(key.asc() for key in order))


Branches = Sequence[Branch]
ALL_ROWS: Branches = (Branch(),)


@dataclass(frozen=True, slots=True)
class Way:
    """How one parameter's value leads to rows. `exact`: to no others than those that match it."""

    branches: Callable[[Any], Branches | None]
    exact: bool = True


def _column(name: str, where: Q = _ALWAYS) -> Way:
    return Way(lambda value: (Branch(F(name), value, where),))


def _columns(name: str) -> Way:
    return Way(lambda values: [Branch(F(name), value) for value in sorted(values)])


def _outcome(code: str) -> Branch:
    return Branch(OutcomeCode(), code, _EXCEPTIONS)


def _outcomes(outcome: str) -> Branches | None:
    """Of refusals there are few codes; most rows are granted."""
    if outcome == "granted":
        return None
    if outcome == "part":
        return (_outcome("part"),)
    codes = _values(OutcomeCode, NotAllGranted.sql(connection.vendor), "", "zzzz")
    return None if codes is None else [_outcome(code) for code in codes if code != "part"]


# A request names one repository, seldom two, hardly ever more.
_PLACES: tuple[tuple[type[FirstName], type[AskedSeveral | AskedMany] | None], ...] = (
    (FirstName, None),
    (SecondName, AskedSeveral),
    (ThirdName, AskedMany),
)
_FURTHER_PLACES = Branch(AskedMore(), True, Q(AskedMore()))


def _names(name: str) -> Branches:
    return [*(_named(name, *place) for place in _PLACES), _FURTHER_PLACES]


def _named(name: str, key: type[FirstName], test: type[Any] | None) -> Branch:
    return Branch(key(), name, _ALWAYS if test is None else Q(test()))


def _prefix(prefix: str) -> Branches | None:
    """By the names that begin so, unless there are many."""
    end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
    branches = [_FURTHER_PLACES]
    for key, test in _PLACES:
        names = _values(key, test.sql(connection.vendor) if test else "1 = 1", prefix, end)
        if names is None:
            return None
        branches += [_named(name, key, test) for name in names]
    return branches


# The index is entered anew for each value, and so read in a few places only. PostgreSQL does not
# know the values when it plans, and so reads along the index (see `expressions.Unguessed`).
_VALUES = """
WITH RECURSIVE found(value) AS (
    SELECT * FROM (
        SELECT {key} FROM issuances_issuance
        WHERE {test} AND {key} >= (SELECT %s) AND {key} < (SELECT %s) ORDER BY {key} LIMIT 1
    ) AS first
    UNION ALL
    SELECT (
        SELECT {key} FROM issuances_issuance
        WHERE {test} AND {key} > found.value AND {key} < (SELECT %s) ORDER BY {key} LIMIT 1
    ) FROM found WHERE found.value IS NOT NULL
)
SELECT value FROM found WHERE value IS NOT NULL LIMIT %s
"""


def _values(
    key: type[FirstName | OutcomeCode], test: str, begin: str, end: str
) -> list[str] | None:
    """The different values of an index from `begin` to before `end`, None when they are many."""
    sql = _VALUES.format(key=f"({key.sql(connection.vendor)})", test=test)
    with connection.cursor() as cursor:
        cursor.execute(sql, [begin, end, end, _MANY + 1])
        found = [value for (value,) in cursor.fetchall()]
    return found if len(found) <= _MANY else None


def _rare_action(action: str) -> Branches | None:
    rare = Branch(AskedRarely(), True, Q(AskedRarely()))
    return (rare,) if action in RARE_ACTIONS else None


WAYS: dict[str, Way] = {
    "request_id": _column("request_id"),
    "subject": _column("subject"),
    "licence": _columns("licence"),
    "address": _column("remote_address"),
    "repository": Way(_names, exact=False),
    "tenant": _column("tenant", ~Q(tenant="")),
    "client": _column("client_id", ~Q(client_id="")),
    "reason": Way(lambda code: (_outcome(code),)),
    "action": Way(_rare_action, exact=False),
    "revision": _column("catalogue_revision"),
    "outcome": Way(_outcomes),
    "plan": _column("plan"),
    "service": _column("service"),
    "repository_prefix": Way(_prefix, exact=False),
}
"""By parameter; those that usually lead to the fewest rows first."""
