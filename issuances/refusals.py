"""The refusals of the log in words, for those who do not know the codes."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

REFUSALS = {
    "insufficient_scope": _("the caller's token lacks a required scope"),
    "service_not_allowed": _("the service is not a configured one"),
    "licence_malformed": _("what the token says as licence is no licence id"),
    "licence_revoked": _("the licence is revoked"),
    "plan_unknown": _("there is no such plan, or it is disabled"),
    "licence_required": _("the plan requires a licence"),
    "nothing_granted": _("no rule of the plan allows it"),
}


def refusal_in_words(code: str) -> str:
    """What a code means; the code itself if it is an unknown one, "" for none."""
    return str(REFUSALS.get(code, code))
