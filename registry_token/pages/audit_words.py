"""Rows of the issuance log in the words of its pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from issuances.models import Issuance
from registry_token.access import AccessEntry

_SHOWN = 3  # resources of a row in a list


@dataclass(frozen=True, slots=True)
class Line:
    """A row in a list."""

    row: Issuance
    outcome: dict[str, str]
    asked: list[str]
    more: int


def line_of(row: Issuance) -> Line:
    """The row with what a list says of it."""
    asked = [scope_of(entry) for entry in row.requested]
    return Line(row, outcome_of(row), asked[:_SHOWN], max(0, len(asked) - _SHOWN))


def outcome_of(row: Issuance) -> dict[str, str]:
    """Badge, word, and the code of a refusal."""
    if row.refusal:
        return {"badge": "bad", "word": _("refused"), "why": row.why, "code": row.refusal}
    if row.granted != row.requested:
        return {"badge": "partly", "word": _("granted in part")}
    return {"badge": "good", "word": _("granted") if row.requested else _("logged in")}


def scope_of(entry: AccessEntry | dict[str, Any]) -> str:
    """A resource as a scope; what did not parse, as it came."""
    if not entry["type"]:
        return str(entry["name"])
    return f"{entry['type']}:{entry['name']}:{','.join(entry['actions'])}"


def resources_of(row: Issuance) -> list[dict[str, Any]]:
    """For each requested resource what was granted of it, and what was not."""
    granted = {(entry["type"], entry["name"]): entry["actions"] for entry in row.granted}
    return [
        {
            "asked": scope_of(entry),
            "granted": (given := granted.get((entry["type"], entry["name"]), [])),
            "missing": [action for action in entry["actions"] if action not in given],
            "words": _difference(entry, given),
        }
        for entry in row.requested
    ]


def _difference(entry: dict[str, Any], given: list[str]) -> str:
    if not entry["type"]:
        return _("is not TYPE:NAME:ACTIONS, so nothing can be granted")
    missing = [action for action in entry["actions"] if action not in given]
    if not given:
        return _("nothing was granted")
    if "*" in missing:
        return _("all was asked for; the rules allow %(given)s") % {"given": ", ".join(given)}
    if missing:
        names = {"given": ", ".join(given), "missing": ", ".join(missing)}
        return _("%(given)s was granted, %(missing)s was not") % names
    return _("granted as asked")


_REMEDIES = {
    "insufficient_scope": gettext_lazy(
        "Request the scope when getting the access token, or allow it to the client at the"
        " Authority."
    ),
    "service_not_allowed": gettext_lazy(
        "Make the registry's auth.token.service and the entry in registry.services equal, to the"
        " letter."
    ),
    "licence_malformed": gettext_lazy(
        "At the Authority: the claim must be one text of at most 255 printable characters."
    ),
    "licence_revoked": gettext_lazy(
        "If that is a mistake, reinstate the licence. Else the caller needs another one."
    ),
    "plan_unknown": gettext_lazy(
        "Compare the claim with the names of the plans, also in upper and lower case; enable the"
        " plan, or correct the claim at the Authority."
    ),
    "licence_required": gettext_lazy(
        "The Authority must name a licence, or the plan must not require one."
    ),
    "nothing_granted": gettext_lazy(
        "See below which rule came closest. Change the plan if the caller is meant to have access."
    ),
}


def remedy_of(row: Issuance) -> str:
    """What to do about a refusal, as docs/errors.md says it; "" for a token."""
    return str(_REMEDIES.get(row.refusal, ""))


def fields_of(row: Issuance) -> list[tuple[str, str, Any]]:
    """Label, parameter of the filter or "", and value of all that the row holds."""
    return [
        (_("time (UTC)"), "", f"{row.created_at:%Y-%m-%d %H:%M:%S.%f}"[:-3]),
        (_("id, and jti of the token"), "", str(row.id)),
        (_("request id"), "request_id", row.request_id),
        (_("subject"), "subject", row.subject),
        (_("client"), "client", row.client_id),
        (_("tenant"), "tenant", row.tenant),
        (_("plan"), "plan", row.plan),
        (_("licence"), "licence", row.licence),
        (_("service"), "service", row.service),
        (_("catalogue revision"), "revision", row.catalogue_revision),
        (_("address"), "address", row.remote_address),
        (_("user agent"), "", row.user_agent),
        (_("jti of the caller's token"), "", row.caller_jti),
    ]
