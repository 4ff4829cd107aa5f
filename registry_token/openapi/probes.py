"""/jwks, /healthz, /readyz."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from registry_token.openapi.parts import NOBODY_ASKED, RETRY_AFTER, Described, errors, operation


class Key(serializers.Serializer[Any]):
    """RFC 7517."""

    kty = serializers.ChoiceField(["RSA"])
    use = serializers.ChoiceField(["sig"])
    alg = serializers.ChoiceField(["RS256"])
    kid = serializers.CharField()
    n = serializers.CharField()
    e = serializers.CharField()


class KeySet(serializers.Serializer[Any]):
    """RFC 7517, 5."""

    keys = Key(many=True)


class Health(serializers.Serializer[Any]):
    """The process is up."""

    status = serializers.ChoiceField(["ok"])


class Readiness(serializers.Serializer[Any]):
    """Tokens can be issued."""

    status = serializers.ChoiceField(["ready"])
    checks = serializers.DictField(
        child=serializers.DictField(), help_text="By part: `ready`, and more where it is known"
    )


class Unreadiness(serializers.Serializer[Any]):
    """What is missing, also as an error."""

    status = serializers.ChoiceField(["not ready"])
    checks = serializers.DictField(child=serializers.DictField())
    errors = serializers.ListField(child=serializers.DictField())


class Jwks(Described):
    """The public signing key."""

    @operation(
        "getJwks",
        "The public signing key",
        "A JSON Web Key Set.",
        tag="token",
        auth=NOBODY_ASKED,
        parameters=[RETRY_AFTER],
        responses={200: KeySet, **errors(503)},
    )
    def get(self, request: Any) -> None: ...


class Healthz(Described):
    """Liveness."""

    @operation(
        "getHealth",
        "Whether the process is up",
        "Touches nothing.",
        tag="probes",
        auth=NOBODY_ASKED,
        responses={200: Health},
    )
    def get(self, request: Any) -> None: ...


class Readyz(Described):
    """Readiness."""

    @operation(
        "getReadiness",
        "Whether tokens can be issued",
        "Names what is missing.",
        tag="probes",
        auth=NOBODY_ASKED,
        parameters=[RETRY_AFTER],
        responses={200: Readiness, 503: OpenApiResponse(Unreadiness, "Not ready")},
    )
    def get(self, request: Any) -> None: ...
