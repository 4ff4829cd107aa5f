"""A simulation in the words of its page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry_token.simulation import Simulation
from registry_token.simulation_checks import NOT_REACHED, PASSED, REFUSED, Check

_TITLES = {
    "insufficient_scope": gettext_lazy("The token holds the required OAuth scopes"),
    "service_not_allowed": gettext_lazy("The service is a configured one"),
    "licence_malformed": gettext_lazy("The licence is a licence id"),
    "licence_revoked": gettext_lazy("The licence is not revoked"),
    "plan_unknown": gettext_lazy("The plan exists and is enabled"),
    "licence_required": gettext_lazy("A licence is there if the plan requires one"),
}
_OUTCOMES = {
    PASSED: (gettext_lazy("passed"), "good"),
    REFUSED: (gettext_lazy("refused"), "bad"),
    NOT_REACHED: (gettext_lazy("not reached"), "partly"),
}
_LABELS = {
    "anonymous": gettext_lazy("without credentials"),
    "required": gettext_lazy("required"),
    "held": gettext_lazy("held"),
    "service": gettext_lazy("asked for"),
    "configured": gettext_lazy("configured"),
    "licence": gettext_lazy("licence"),
    "revoked": gettext_lazy("revoked"),
    "plan": gettext_lazy("plan"),
    "named_by": gettext_lazy("named by"),
    "state": gettext_lazy("it is"),
}
# Values that are words, by the label that they stand after; all others are names.
_WORDS = {
    "named_by": {
        "claim": gettext_lazy("the caller's token"),
        "plans.default": gettext_lazy("the configuration, for tokens without a plan"),
        "plans.anonymous": gettext_lazy("the configuration, for callers without credentials"),
    },
    "state": {
        "enabled": gettext_lazy("enabled"),
        "disabled": gettext_lazy("disabled"),
        "unknown": gettext_lazy("unknown"),
    },
}


def in_words(simulation: Simulation) -> dict[str, Any]:
    """What the page's template shows of it."""
    return simulation.as_dict() | {
        "outcome": _outcome(simulation),
        "checks": [_check(check) for check in simulation.checks],
        "licence": simulation.licence or "",
    }


def _outcome(simulation: Simulation) -> dict[str, str]:
    if simulation.refusal is not None:
        return {"badge": "bad", "word": _("refused")}
    if any(resource.missing for resource in simulation.resources):
        return {"badge": "partly", "word": _("granted in part")}
    return {"badge": "good", "word": _("granted")}


def _check(check: Check) -> dict[str, Any]:
    word, badge = _OUTCOMES[check.outcome]
    return {
        "title": _TITLES[check.code],
        "code": check.code,
        "word": word,
        "badge": badge,
        "looked_at": "; ".join(_looked_at(check)),
    }


def _looked_at(check: Check) -> Iterator[str]:
    for name, value in check.looked_at.items():
        words = _WORDS[name][value] if name in _WORDS else _value(value)
        yield f"{_LABELS[name]}: {words}"


def _value(value: Any) -> str:
    match value:
        case True:
            return _("yes")
        case False:
            return _("no")
        case None | []:
            return _("none")
        case "":
            return _("not readable")
        case list():
            return ", ".join(value)
    return str(value)
