"""GET /api/v1/simulate."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from registry_token.entitlement import CHECKS
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
from registry_token.openapi.token import SCOPES
from registry_token.token_request import MAX_SERVICE_LENGTH

_REVISION = {"type": "string", "pattern": "^[0-9]{1,19}$"}


class Refusal(serializers.Serializer[Any]):
    """Why nothing is granted."""

    code = serializers.ChoiceField([*(code for code, _ in CHECKS), "nothing_granted"])
    message = serializers.CharField()


class Check(serializers.Serializer[Any]):
    """A check of the caller, with what it looked at."""

    code = serializers.ChoiceField([code for code, _ in CHECKS])
    outcome = serializers.ChoiceField(["passed", "refused", "not reached"])
    looked_at = serializers.DictField()


class SpeakingRule(serializers.Serializer[Any]):
    """A rule that had a say."""

    effect = serializers.ChoiceField(["allow", "deny"])
    text = serializers.CharField()


class NearestRule(serializers.Serializer[Any]):
    """The rule that comes closest, and what it lacks."""

    rule = serializers.CharField()
    lacks = serializers.ListField(child=serializers.CharField())


class Resource(serializers.Serializer[Any]):
    """What becomes of one requested resource."""

    asked = serializers.CharField(allow_blank=True)
    granted = serializers.ListField(child=serializers.CharField(allow_blank=True))
    missing = serializers.ListField(child=serializers.CharField(allow_blank=True))
    rules = SpeakingRule(many=True)
    nearest = NearestRule(allow_null=True)


class Simulation(serializers.Serializer[Any]):
    """The decision, and all that led to it."""

    revision = serializers.IntegerField(help_text="Of the catalogue")
    source = serializers.ChoiceField(["current", "revision", "unsaved"])
    service = serializers.CharField()
    plan = serializers.CharField(allow_blank=True)
    licence = serializers.CharField(allow_null=True, allow_blank=True)
    refusal = Refusal(allow_null=True)
    granted = serializers.ListField(child=serializers.CharField(), help_text="As scopes")
    checks = Check(many=True)
    resources = Resource(many=True)


class Simulate(Described):
    """The simulator."""

    @operation(
        "simulate",
        "What /token would decide, and why",
        "Permission `plans.view_plan` or OAuth scope `registry.catalogue.read`; for `request_id`"
        " also `issuances.view_issuance` or `registry.audit.read`. Nothing is issued or recorded;"
        " a refusal is an answer like any other.",
        tag="catalogue",
        auth=BY_TOKEN_OR_SESSION,
        parameters=[
            query("plan", str, "The claim `stellaops:plan`; left out, the token has none"),
            query("licence", str, "The claim `stellaops:license`; left out, the token has none"),
            query("service", text_of(MAX_SERVICE_LENGTH), "Default: the first configured one"),
            query("scope", SCOPES, "As of /token", explode=True, style="form"),
            query("revision", _REVISION, "Decide by this revision of the catalogue"),
            query("request_id", str, "Ask what this request asked; instead of all of the above"),
            CHALLENGE,
            RETRY_AFTER,
        ],
        responses={200: Simulation, **errors(400, 401, 403, 414, 429, 431, 503)},
    )
    def get(self, request: Any) -> None: ...
