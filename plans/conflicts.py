"""Two people edit one plan: the second is told what the first has done, and loses nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from plans.models import CatalogueRevision, Plan, PlanRule
from plans.snapshots import plan_entry, rule_of

# How many revisions are searched for what the page has shown.
_SEARCHED = 100


def fingerprint(plan: Plan) -> str:
    """Of the plan with its rules, as they are stored."""
    stored = Plan.objects.get(pk=plan.pk)
    return digest(plan_entry(stored, stored.rules.all()))


def digest(data: Any) -> str:
    """Of plain data; equal for equal data."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def what_happened(plan: Plan | None, loaded: str) -> str:
    """Who has changed or deleted what the page showed as `loaded`, when, why and what."""
    newest, shown = _history(loaded)
    if newest is None:
        return _("This plan was changed since. Check what you typed and save again to overwrite.")
    about = {
        "who": newest.actor,
        "when": date_format(localtime(newest.created_at), "DATETIME_FORMAT"),
        "why": newest.reason,
    }
    if plan is None:
        return (
            _("%(who)s deleted this plan at %(when)s (%(why)s). Save to add it as a new plan.")
            % about
        )
    text = _("%(who)s changed this plan at %(when)s (%(why)s).") % about
    changes = "; ".join(_differences(shown, plan_entry(plan, plan.rules.all())))
    again = _("What you typed is still here: save again to overwrite.")
    return f"{text} {changes}. {again}" if changes else f"{text} {again}"


def _history(loaded: str) -> tuple[CatalogueRevision | None, dict[str, Any] | None]:
    """The first revision after the state `loaded`, and that state."""
    after = None
    for revision in CatalogueRevision.objects.filter(snapshot__isnull=False)[:_SEARCHED]:
        for entry in revision.snapshot or ():
            if digest(entry) == loaded:
                return after, entry
        after = revision
    return after, None


def _differences(old: dict[str, Any] | None, new: dict[str, Any]) -> Iterator[str]:
    if old is None:
        return
    before, now = ([str(rule_of(rule)) for rule in entry["rules"]] for entry in (old, new))
    yield from (_("rule added: %s") % rule for rule in now if rule not in before)
    yield from (_("rule removed: %s") % rule for rule in before if rule not in now)
    for field in ("name", "description", "enabled", "licence_required"):
        if old.get(field) != new.get(field):
            value = new.get(field, getattr(Plan(), field))
            words = {True: _("yes"), False: _("no"), "": _("empty")}
            label = Plan._meta.get_field(field).verbose_name  # type: ignore[union-attr]
            about = {"field": label, "value": words.get(value, value)}
            yield _("%(field)s is now %(value)s") % about


def merged(post: QueryDict, plan: Plan | None) -> QueryDict:
    """What was typed, fit to be saved over the plan as it is now.

    Rows whose rule is gone become new ones; rules that the page did not show join it.
    """
    data = post.copy()
    rows = [
        {name: data.pop(key) for name in _FIELDS if (key := f"rules-{index}-{name}") in data}
        for index in range(_number(post.get("rules-TOTAL_FORMS")))
    ]
    rules = {str(rule.pk): rule for rule in plan.rules.all()} if plan else {}
    kept = [row for row in rows if row.get("id", [""])[0] in rules]
    parent = [str(plan.pk) if plan else ""]
    new = [row | {"id": [""], "plan": parent} for row in rows if row not in kept]
    shown = {row["id"][0] for row in kept}
    kept += [_row(rule) for pk, rule in rules.items() if pk not in shown]
    for index, row in enumerate([*kept, *new]):
        for name, values in row.items():
            data.setlist(f"rules-{index}-{name}", values)
    data["rules-TOTAL_FORMS"] = str(len(kept) + len(new))
    data["rules-INITIAL_FORMS"] = str(len(kept))
    data["loaded"] = fingerprint(plan) if plan else ""
    return data


_FIELDS = ("id", "plan", "effect", "type", "pattern", "actions", "services", "DELETE")


def _number(text: str | None) -> int:
    return min(int(text), 2000) if text and text.isascii() and text.isdecimal() else 0


def _row(rule: PlanRule) -> dict[str, list[str]]:
    return {
        "id": [str(rule.pk)],
        "plan": [str(rule.plan_id)],
        "effect": [rule.effect],
        "type": [rule.type],
        "pattern": [rule.pattern],
        "actions": rule.actions,
        "services": ["\n".join(rule.services)],
    }
