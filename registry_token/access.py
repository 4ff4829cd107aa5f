"""Registry access: what is asked for and granted, and the text form of it, the scopes.

Scope grammar: Distribution, docs/content/spec/auth/scope.md. Reading is lenient where clients are
sloppy, and never an error: what cannot be understood counts as asked for and is never granted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

_TYPE = re.compile(r"([a-z0-9]+)(?:\([a-z0-9]+\))?")


class AccessEntry(TypedDict):
    """One member of a registry token's `access` claim."""

    type: str
    name: str
    actions: list[str]


@dataclass(frozen=True, slots=True)
class ResourceActions:
    """Actions on one resource. A scope that does not parse has the type "" and itself as name."""

    type: str
    name: str
    actions: frozenset[str]

    def entry(self) -> AccessEntry:
        """The form of the `access` claim and of the issuance log; actions are sorted."""
        return {"type": self.type, "name": self.name, "actions": sorted(self.actions)}

    def __str__(self) -> str:
        if not self.type:
            return self.name
        return f"{self.type}:{self.name}:{','.join(sorted(self.actions))}"


Access = tuple[ResourceActions, ...]


def parse_scope(scope: str) -> ResourceActions:
    """Read one scope. The class of `repository(plugin):…` is dropped, as registries drop it.

    Actions stand behind the last colon, for a name may hold a host with a port.
    """
    type_and_class, _, rest = scope.partition(":")
    name, colon, actions = rest.rpartition(":")
    type_ = _TYPE.fullmatch(type_and_class)
    if not colon or type_ is None:
        return ResourceActions("", scope, frozenset())
    return ResourceActions(type_[1], name, frozenset(filter(None, actions.split(","))))


def parse_scopes(scopes: Iterable[str]) -> Access:
    """Read scopes, unite those of one resource, keep the order of the resources.

    A well-formed scope without any action asks for nothing and is left out.
    """
    united: dict[tuple[str, str], ResourceActions] = {}
    for asked in map(parse_scope, scopes):
        if asked.type and not asked.actions:
            continue
        resource = (asked.type, asked.name)
        if (before := united.get(resource)) is not None:
            asked = ResourceActions(*resource, before.actions | asked.actions)
        united[resource] = asked
    return tuple(united.values())


def format_scopes(access: Access) -> str:
    """The scopes of `access`, joined by spaces as in the `scope` member of an answer."""
    return " ".join(map(str, access))
