"""GET /api/v1/failed-authentications."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from issuances.finding.filters import PERIODS
from registry_token.log_access import AUDIT_SCOPE, VIEW_LOG
from registry_token.openapi.parts import (
    BY_TOKEN_OR_SESSION,
    CHALLENGE,
    RETRY_AFTER,
    Described,
    errors,
    operation,
    query,
    text_of,
)


class Failures(serializers.Serializer[Any]):
    """How many there were, and how many of them were answered 429."""

    failures = serializers.IntegerField()
    throttled = serializers.IntegerField()


class FailuresForReason(Failures):
    """As in the log line."""

    reason = serializers.CharField()


class FailuresOfNetwork(Failures):
    """An address prefix; `other` stands for those that had no row of their own in a minute."""

    network = serializers.CharField()


class FailuresAtTime(Failures):
    """A minute, an hour or a day that begins then."""

    at = serializers.DateTimeField()


FailedAuthenticationsAnswer = type(
    "FailedAuthentications",
    (Failures,),
    {
        "from": serializers.DateTimeField(),
        "until": serializers.DateTimeField(),
        "reasons": FailuresForReason(many=True),
        "networks": FailuresOfNetwork(many=True, help_text="The 50 with the most failures"),
        "times": FailuresAtTime(many=True),
        "step": serializers.ChoiceField(["minute", "hour", "day"], help_text="Of `times`"),
        "__doc__": "What failed in a time.",
        "__module__": __name__,
    },
)


class FailedAuthentications(Described):
    """Failed authentications."""

    @operation(
        "failedAuthentications",
        "How often callers failed to authenticate, why and from where",
        f"Permission `{VIEW_LOG}` or OAuth scope `{AUDIT_SCOPE}`. Without a time:"
        " the last 24 hours. Counted by minute, reason and client network; stored within seconds.",
        tag="audit",
        auth=BY_TOKEN_OR_SESSION,
        parameters=[
            query("since", str, "This long until now", enum=[*PERIODS, ""]),
            query("from", str, "A date or a time, UTC where it names no zone"),
            query("until", str, "Likewise; not part of the range"),
            query("reason", text_of(40), "Only this reason"),
            CHALLENGE,
            RETRY_AFTER,
        ],
        responses={200: FailedAuthenticationsAnswer, **errors(400, 401, 403, 414, 429, 431, 503)},
    )
    def get(self, request: Any) -> None: ...
