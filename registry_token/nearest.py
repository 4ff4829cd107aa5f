"""The nearest rule: where something is not granted, the rule that comes closest to granting it, and
what it lacks. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from django.utils.translation import gettext as _

from plans.catalogue import Rule
from plans.patterns import compile_pattern, is_repository_name
from registry_token.access import ResourceActions
from registry_token.entitlement import EVERYTHING, REPOSITORY_ACTIONS

# Below this likeness of pattern and name, without a part in common, a rule is not near.
ALIKE = 0.6
# Comparing letter by letter is slow: so many patterns with the most parts in common are compared.
MAX_COMPARED = 50


@dataclass(frozen=True, slots=True)
class Nearest:
    """A rule in words ("" where none comes near) and what stands in its way, one sentence each."""

    rule: str
    lacks: tuple[str, ...]


def nearest_rule(missing: ResourceActions, rules: tuple[Rule, ...], service: str) -> Nearest:
    """What of a plan's `rules` comes nearest to granting `missing` on the registry `service`."""
    if problem := _never_granted(missing):
        return Nearest("", (problem,))
    allowing = [rule for rule in rules if rule.allows and rule.type == missing.type]
    near = _nearest(allowing, missing, service)
    if near is None:
        message = _("no rule of the plan comes near %(name)s") % {"name": missing.name}
        return Nearest("", (message,))
    return Nearest(near.text, tuple(_lacks(near, missing, rules, service)))


def _never_granted(missing: ResourceActions) -> str:
    """Why no rule whatever can grant this, or ""."""
    if not missing.type:
        return _("%(scope)r is not TYPE:NAME:ACTIONS") % {"scope": missing.name}
    if missing.type not in ("repository", "registry"):
        message = _("%(type)r is not a type that rules speak of: repository or registry")
        return message % {"type": missing.type}
    if missing.type == "repository" and not is_repository_name(missing.name):
        return _("%(name)r is not a repository name") % {"name": missing.name}
    unknown = missing.actions - REPOSITORY_ACTIONS - {EVERYTHING}
    if unknown == missing.actions:
        message = _("%(actions)s: unknown; the actions are pull, push, delete and *")
        return message % {"actions": _listed(unknown)}
    return ""


def _nearest(allowing: list[Rule], missing: ResourceActions, service: str) -> Rule | None:
    matching = [rule for rule in allowing if _matches(rule, missing.name)]
    if matching:
        return min(
            matching,
            key=lambda rule: (len(_lacking(rule, missing)), not _serves(rule, service)),
        )
    parts = missing.name.split("/")
    common = {rule: _in_common(rule.pattern.split("/"), parts) for rule in allowing}
    best = sorted(allowing, key=lambda rule: -common[rule])[:MAX_COMPARED]
    alike = {rule: _likeness(rule.pattern, missing.name) for rule in best}
    near = [rule for rule in best if common[rule] or alike[rule] >= ALIKE]
    return max(near, key=lambda rule: (common[rule], alike[rule]), default=None)


def _lacks(
    near: Rule, missing: ResourceActions, rules: tuple[Rule, ...], service: str
) -> Iterator[str]:
    if not _matches(near, missing.name):
        yield difference(near.pattern, missing.name)
    if _lacking(near, missing):
        actions = _listed(near.actions)
        yield _("it allows only %(actions)s") % {"actions": actions}
    if not _serves(near, service):
        yield _("it is for %(services)s only") % {"services": ", ".join(sorted(near.services))}
    for rule in rules:
        if not rule.allows and _takes_away(rule, missing, service):
            yield _("another rule takes it away: %(rule)s") % {"rule": rule.text}


def _matches(rule: Rule, name: str) -> bool:
    return compile_pattern(rule.pattern).fullmatch(name) is not None


def _serves(rule: Rule, service: str) -> bool:
    return not rule.services or service in rule.services


def _lacking(rule: Rule, missing: ResourceActions) -> frozenset[str]:
    if rule.type == "repository" and EVERYTHING in rule.actions:
        return frozenset()
    return missing.actions - rule.actions


def _takes_away(rule: Rule, missing: ResourceActions, service: str) -> bool:
    speaks = rule.matches(type=missing.type, name=missing.name, service=service)
    # Whatever is denied, * as a whole is gone.
    wants_all = EVERYTHING in missing.actions | rule.actions
    return speaks and (wants_all or bool(rule.actions & missing.actions))


def _likeness(pattern: str, name: str) -> float:
    return SequenceMatcher(None, pattern, name, autojunk=False).ratio()


def _in_common(wanted: list[str], parts: list[str]) -> int:
    """How many parts of a name are as a pattern wants them, from the left and from the right."""
    left = _leading(wanted, parts)
    return left + _leading(wanted[left:][::-1], parts[left:][::-1])


def _leading(wanted: list[str], parts: list[str]) -> int:
    """How many parts are as wanted, one after the other, up to a `**`."""
    count = 0
    for segment, part in zip(wanted, parts, strict=False):
        if segment == "**" or not compile_pattern(segment).fullmatch(part):
            break
        count += 1
    return count


def difference(pattern: str, name: str) -> str:
    """Why a pattern does not match a name, in words."""
    wanted, parts = pattern.split("/"), name.split("/")
    same = _leading(wanted, parts)
    words = {"pattern": pattern, "name": name, "wanted": len(wanted), "parts": len(parts)}
    if "**" not in wanted and len(wanted) != len(parts) and same == min(len(wanted), len(parts)):
        message = _("its pattern %(pattern)s has %(wanted)d parts, %(name)s has %(parts)d")
        return message % words
    if same == len(parts):
        return _("its pattern %(pattern)s wants more below %(name)s") % words
    if wanted[same] != "**":
        words |= {"number": same + 1, "part": parts[same], "segment": wanted[same]}
        message = _(
            "its pattern %(pattern)s wants %(segment)s as part %(number)d, where the name has"
            " %(part)s"
        )
        return message % words
    return _("its pattern %(pattern)s does not match %(name)s") % words


def _listed(actions: frozenset[str]) -> str:
    return ", ".join(sorted(actions))
