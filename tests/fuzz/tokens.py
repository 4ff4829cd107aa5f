"""Fuzz targets that read what others have signed: access tokens, and key sets."""

from __future__ import annotations

import contextlib

from django.conf import settings

from registry_token.authority import Caller, authenticate
from registry_token.errors import Unauthenticated
from registry_token.jwks import parse_jwks
from registry_token.strict_json import parse_object
from tests.caller_tokens import raw_token
from tests.fuzz.world import World


def token(world: World, data: bytes) -> None:
    """Any text as caller token; $TOKEN is a good one, which nothing may stand before or behind."""
    text = world.filled(data).decode(errors="replace")
    with contextlib.suppress(Unauthenticated):
        authenticate(text)
        assert text == world.token


def token_header(world: World, data: bytes) -> None:
    """Any bytes as the header of a rightly signed token."""
    _authenticate(raw_token(world.authority, header=data))


def token_claims(world: World, data: bytes) -> None:
    """Any bytes as the claims of a rightly signed token."""
    _authenticate(raw_token(world.authority, payload=data))


def token_signature(world: World, data: bytes) -> None:
    """Any bytes as the signature of an otherwise good token."""
    assert _authenticate(raw_token(world.authority, sign=lambda _: data or b"0")) is None


def _authenticate(encoded: str) -> Caller | None:
    try:
        caller = authenticate(encoded)
    except Unauthenticated as refused:
        assert refused.message.startswith("the access token")
        return None
    assert 0 < len(caller.subject) <= 255
    for text in (caller.subject, caller.client_id, caller.tenant, caller.jti):
        assert text.isprintable()
    for name in (caller.plan, caller.licence):
        assert name is None or (isinstance(name, str) and name.isprintable())
    return caller


def json_object(world: World, data: bytes) -> None:
    """JSON as tokens and key sets are read."""
    with contextlib.suppress(ValueError):
        assert isinstance(parse_object(data), dict)


def key_set(world: World, data: bytes) -> None:
    """A JWK set of the Authority."""
    with contextlib.suppress(ValueError):
        keys = parse_jwks(data, settings.AUTHORITY_ALGORITHMS)
        assert keys.key_ids()
        keys.rsa_thumbprints()
