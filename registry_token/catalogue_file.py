"""The catalogue file's form: what admins keep in git, read strictly and written deterministically.

Reading is pure but for the file: it yields unsaved model objects that have passed the models' own
validation, so that the file, the admin and the commands agree on what is valid.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import yaml
from django.core.exceptions import ValidationError
from django.db import models

from licences.models import RevokedLicence, normalised
from plans.models import Plan, PlanRule
from plans.snapshots import Snapshot, plan_entry, snapshot_of
from registry_token.yaml_files import mapping_of, read_mapping


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """What a file says: plans with their rules, and revoked licences; all unsaved.

    `is_empty` when it says nothing at all, not even that there are none.
    """

    plans: tuple[tuple[Plan, tuple[PlanRule, ...]], ...] = ()
    revoked_licences: tuple[RevokedLicence, ...] = ()
    is_empty: bool = False


@dataclass(slots=True)
class _Errors:
    """What is wrong, each with its path in the file."""

    found: list[str] = field(default_factory=list)

    def add(self, path: str, message: str) -> None:
        self.found.append(f"{path}: {message}")


_PLAN_KEYS: dict[str, type] = {
    "name": str,
    "description": str,
    "enabled": bool,
    "licence_required": bool,
    "rules": list,
}
_RULE_KEYS: dict[str, type] = {
    "repositories": str,
    "registry": str,
    "actions": list,
    "effect": str,
    "services": list,
}
_LICENCE_KEYS: dict[str, type] = {"licence": str, "reason": str, "until": date}
_TYPE_NAMES = {
    str: "text; put it in quotes",
    bool: "true or false",
    list: "a list",
    date: "a date such as 2026-12-31, or a time with its zone such as 2026-12-31T18:00:00Z",
}


def read_catalogue(path: Path) -> tuple[CatalogueFile, list[str]]:
    """The file's content, and everything that is wrong with it. Never raises."""
    document, problems = read_mapping(path)
    return (CatalogueFile(), problems) if problems else catalogue_in(document)


def read_catalogue_text(text: str) -> tuple[CatalogueFile, list[str]]:
    """As `read_catalogue`, of a file's text."""
    document, problems = mapping_of(text, "the text")
    return (CatalogueFile(), problems) if problems else catalogue_in(document)


def catalogue_in(document: Mapping[str, Any]) -> tuple[CatalogueFile, list[str]]:
    """What a file's content says, and everything that is wrong with it."""
    errors = _Errors()
    top = _members(document, "", {"plans": list, "revoked_licences": list}, errors)
    plans = tuple(_plans(top.get("plans", []), errors))
    licences = tuple(_licences(top.get("revoked_licences", []), errors))
    return CatalogueFile(plans, licences, is_empty=not document), errors.found


def _plans(entries: list[Any], errors: _Errors) -> Iterator[tuple[Plan, tuple[PlanRule, ...]]]:
    names: set[str] = set()
    for path, entry in _each(entries, "plans", errors):
        members = _members(entry, path, _PLAN_KEYS, errors, required=("name",))
        rules = tuple(_rules(members.pop("rules", []), path, errors))
        plan = Plan(**members)
        if plan.name and plan.name in names:
            errors.add(f"{path}.name", f"{plan.name} stands twice")
        names.add(plan.name)
        _validate(plan, path, errors, members)
        yield plan, rules


def _rules(entries: list[Any], plan_path: str, errors: _Errors) -> Iterator[PlanRule]:
    for path, entry in _each(entries, f"{plan_path}.rules", errors):
        members = _members(entry, path, _RULE_KEYS, errors, required=("actions",))
        if ("repositories" in members) == ("registry" in members):
            if not {"repositories", "registry"} & (entry.keys() - members.keys()):
                errors.add(path, "needs either repositories or registry, and not both")
            continue
        pattern_key = "registry" if "registry" in members else "repositories"
        type_ = PlanRule.Type.REGISTRY if pattern_key == "registry" else PlanRule.Type.REPOSITORY
        rule = PlanRule(type=type_, pattern=members.pop(pattern_key), **members)
        _validate(rule, path, errors, {*members, "pattern"}, pattern_key)
        yield rule


def _licences(entries: list[Any], errors: _Errors) -> Iterator[RevokedLicence]:
    keys: set[str] = set()
    for path, entry in _each(entries, "revoked_licences", errors):
        members = _members(entry, path, _LICENCE_KEYS, errors, required=("licence",))
        if "until" in members and not _set_until(members):
            errors.add(
                f"{path}.until", f"{entry['until']} must have its zone, as in {entry['until']}Z"
            )
        licence = RevokedLicence(**members)
        key = normalised(licence.licence)
        if key and key in keys:
            errors.add(f"{path}.licence", f"{licence.licence} stands twice")
        keys.add(key)
        _validate(licence, path, errors, members)
        yield licence


def _set_until(members: dict[str, Any]) -> bool:
    """Make `until` a time in UTC, a date meaning its beginning; False, and removed, if unclear."""
    until = members.pop("until")
    if not isinstance(until, datetime):
        until = datetime(until.year, until.month, until.day, tzinfo=UTC)
    if until.tzinfo is None or until.year in (date.min.year, date.max.year):  # may overflow in UTC
        return False
    members["until"] = until.astimezone(UTC)
    return True


def _each(entries: list[Any], path: str, errors: _Errors) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, entry in enumerate(entries):
        if isinstance(entry, dict):
            yield f"{path}[{index}]", entry
        else:
            errors.add(f"{path}[{index}]", "must be a mapping of names to values")


def _members(
    entry: Mapping[Any, Any],
    path: str,
    known: Mapping[str, type],
    errors: _Errors,
    required: Iterable[str] = (),
) -> dict[str, Any]:
    """The members of the right type; errors for unknown, missing and mistyped ones."""
    prefix = f"{path}." if path else ""
    members = {}
    for key, value in entry.items():
        if key not in known:
            errors.add(f"{prefix}{key}", f"unknown key; known are {', '.join(known)}")
        elif not isinstance(value, known[key]):
            errors.add(f"{prefix}{key}", f"{value!r} must be {_TYPE_NAMES[known[key]]}")
        else:
            members[key] = value
    for key in required:
        if key not in entry:
            errors.add(f"{prefix}{key}", "is missing")
    return members


def _validate(
    instance: models.Model, path: str, errors: _Errors, given: Iterable[str], pattern_key: str = ""
) -> None:
    """The model's own validation of the members given; the others have errors or defaults.

    Not of uniqueness: the file may name what is in the database already.
    """
    excluded = {field.name for field in instance._meta.fields} - {*given}
    try:
        instance.full_clean(exclude=excluded, validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        for name, messages in error.message_dict.items():
            if name not in excluded:
                for message in dict.fromkeys(messages):
                    errors.add(f"{path}.{pattern_key if name == 'pattern' else name}", message)


def snapshot_of_file(file: CatalogueFile) -> Snapshot:
    """The plans of a file as plain data."""
    return [plan_entry(plan, rules) for plan, rules in file.plans]


def dump_catalogue(plans: Iterable[Plan], licences: Iterable[RevokedLicence]) -> str:
    """The catalogue as the text of a file: plans and licences by name, defaults left out."""
    document = {
        "plans": snapshot_of(plans),
        "revoked_licences": [
            _licence_entry(revoked)
            for revoked in sorted(licences, key=lambda revoked: revoked.licence)
        ],
    }
    return _written(document)


def dump_snapshot(snapshot: Snapshot) -> str:
    """Plans alone as the text of a file."""
    return _written({"plans": snapshot})


def _written(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def _licence_entry(revoked: RevokedLicence) -> dict[str, Any]:
    entry: dict[str, Any] = {"licence": revoked.licence}
    if revoked.reason:
        entry["reason"] = revoked.reason
    if revoked.until is not None:
        entry["until"] = revoked.until.astimezone(UTC)
    return entry
