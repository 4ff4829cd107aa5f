"""Authenticating the caller: an Authority access token (RFC 9068) becomes a `Caller`.

The one verifier for every way in. Follows RFC 8725: algorithms come from the configuration, keys
from the Authority's key set and never from the token, everything is strict about form. Values read
before the signature is verified are named `unverified_…`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from django.conf import settings
from jwt.exceptions import (
    ExpiredSignatureError,
    ImmatureSignatureError,
    InvalidAudienceError,
    InvalidIssuerError,
    InvalidSignatureError,
    PyJWTError,
)

from registry_token.authority_keys import key_source
from registry_token.errors import Unauthenticated
from registry_token.strict_json import parse_object
from registry_token.verified import MAX_LENGTH, Verification, VerifiedTokens, digest_of

MAX_TOKEN_LENGTH = 16 * 1024  # bytes
MAX_CLAIM_LENGTH = 255

PLAN_CLAIM = "stellaops:plan"
LICENCE_CLAIM = "stellaops:license"
TENANT_CLAIM = "stellaops:tenant"

# Compact serialization without padding, RFC 7515, 7.1 and 2.
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# RFC 9068, 2.1; many providers still write JWT or nothing.
_TYPES = ("at+jwt", "application/at+jwt", "jwt")

_INVALID = ("invalid", "the access token is not valid")
_UNKNOWN_KEY = (
    "unknown_key",
    "the access token is signed with a key that the Authority does not publish",
)
_REFUSALS: dict[type[PyJWTError], tuple[str, str]] = {
    ExpiredSignatureError: ("expired", "the access token has expired; log in with a new one"),
    ImmatureSignatureError: (
        "not_yet_valid",
        "the access token is not valid yet; check clocks",
    ),
    InvalidAudienceError: ("wrong_audience", "the access token is meant for another audience"),
    InvalidIssuerError: ("wrong_issuer", "the access token comes from another issuer"),
    InvalidSignatureError: ("bad_signature", "the access token's signature does not match"),
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the Authority says it.

    `plan` and `licence` are None when the token has no such claim, and "" when it has one that is
    not one printable text: a claim that nobody understands must not pass for none.
    """

    subject: str
    client_id: str = ""
    tenant: str = ""
    scopes: frozenset[str] = frozenset()
    plan: str | None = None
    licence: str | None = None
    jti: str = ""
    anonymous: bool = False


ANONYMOUS = Caller(subject="", anonymous=True)


class StrictJWT(jwt.PyJWT):
    """PyJWT that reads the payload as strictly as this module reads the header."""

    def _decode_payload(self, decoded: dict[str, Any]) -> dict[str, Any]:
        try:
            claims = parse_object(decoded["payload"])
        except ValueError as error:
            raise jwt.DecodeError(str(error)) from None
        for name in ("exp", "nbf", "iat"):
            # PyJWT takes numbers in strings, and booleans; RFC 7519, 2 wants JSON numbers.
            if type(claims.get(name, 0)) not in (int, float):
                raise jwt.DecodeError(f"{name} is not a number")
        return claims


_jwt = StrictJWT()
_verified: VerifiedTokens[Caller] = VerifiedTokens()


def authenticate(subject_token: str, *, challenge: str = "Basic") -> Caller:
    """Verify an access token, up to 16 KiB of it, and read its claims.

    A token that was verified is remembered until it expires, the Authority's keys change or others
    take its place. Raises Unauthenticated, in the scheme `challenge`, with one of six specific
    messages or a general one; Unavailable when there are no keys to verify with.
    """
    try:
        if len(subject_token) > MAX_TOKEN_LENGTH:
            raise _Refused(_INVALID, f"longer than {MAX_TOKEN_LENGTH} bytes")
        digest = digest_of(subject_token)
        if digest in _verified and (caller := _verified.recall(digest, _basis(), time.time())):
            return caller
        return _authenticate_anew(subject_token, digest)
    except _Refused as refused:
        raise Unauthenticated(refused.message, reason=refused.reason, challenge=challenge) from None


def _basis() -> tuple[Any, ...]:
    """What a verification depends on, besides the token and the clock."""
    return (
        key_source().current(),
        settings.AUTHORITY_ISSUER,
        settings.AUTHORITY_AUDIENCES,
        settings.AUTHORITY_ALGORITHMS,
        settings.AUTHORITY_LEEWAY,
    )


def _authenticate_anew(subject_token: str, digest: bytes) -> Caller:
    unverified_header = _unverified_header(subject_token)
    # Before the verification: if the keys change meanwhile, it does not count for the new ones.
    basis, now = _basis(), time.time()
    claims = _verified_claims(subject_token, unverified_header)
    caller = _caller(claims)
    if len(subject_token) <= MAX_LENGTH:
        _verified.remember(digest, Verification(basis, now, claims["exp"], caller))
    return caller


class _Refused(Exception):
    """The token does not hold. `log` tells the operator which check failed."""

    def __init__(self, refusal: tuple[str, str], log: str = "") -> None:
        self.reason = f"{refusal[0]}: {log}" if log else refusal[0]
        self.message = refusal[1]


def _verified_claims(subject_token: str, unverified_header: Mapping[str, Any]) -> dict[str, Any]:
    algorithm = unverified_header["alg"]
    key = key_source().find(unverified_header.get("kid"), algorithm)
    if key is None:
        raise _Refused(_UNKNOWN_KEY)
    try:
        claims: dict[str, Any] = _jwt.decode(
            subject_token,
            key,
            algorithms=[algorithm],
            issuer=settings.AUTHORITY_ISSUER,
            audience=settings.AUTHORITY_AUDIENCES,
            leeway=settings.AUTHORITY_LEEWAY,
            options={
                "verify_signature": True,
                "verify_exp": True,
                "verify_nbf": True,
                "verify_iat": True,
                "verify_iss": True,
                "verify_aud": True,
                "verify_sub": True,
                "verify_jti": True,
                # Only that they are there; what they say is checked by the lines above.
                "require": ["iss", "aud", "exp", "sub"],
            },
        )
    except PyJWTError as error:
        raise _Refused(_REFUSALS.get(type(error), _INVALID), str(error)) from None
    return claims


def _unverified_header(subject_token: str) -> dict[str, Any]:
    """The token's header, refused unless it is one that this service understands."""
    if not _COMPACT.fullmatch(subject_token):
        raise _Refused(_INVALID, "not a signed JWT in compact form")
    unverified_segment = subject_token.partition(".")[0].encode()
    try:
        unverified_header = parse_object(jwt.utils.base64url_decode(unverified_segment))
    except ValueError as error:
        raise _Refused(_INVALID, f"header {error}") from None
    if problem := _header_problem(unverified_header):
        raise _Refused(_INVALID, problem)
    return unverified_header


def _header_problem(unverified_header: Mapping[str, Any]) -> str:
    unverified_type = unverified_header.get("typ", "JWT")
    if not isinstance(unverified_type, str) or unverified_type.lower() not in _TYPES:
        return "typ is not an access token's"
    if unverified_header.get("alg") not in settings.AUTHORITY_ALGORITHMS:
        return "alg is not allowed"
    if not isinstance(unverified_header.get("kid"), str | None):
        return "kid is not a string"
    if "crit" in unverified_header:  # RFC 7515, 4.1.11: no extension is understood here
        return "crit names extensions"
    return ""


def _caller(claims: Mapping[str, Any]) -> Caller:
    if "cnf" in claims:  # RFC 9449, RFC 8705: bound to a key that is not presented here
        raise _Refused(_INVALID, "cnf binds it to a key")
    return Caller(
        subject=_text(claims, "sub", required=True),
        client_id=_text(claims, "client_id") or _text(claims, "azp"),
        tenant=_text(claims, TENANT_CLAIM),
        scopes=_words(claims.get("scope")) | _words(claims.get("scp")),
        plan=plan_of(claims),
        licence=licence_of(claims),
        jti=_text(claims, "jti"),
    )


def _text(claims: Mapping[str, Any], name: str, *, required: bool = False) -> str:
    value = claims.get(name, "")
    if not _is_text(value) or (required and not value):
        raise _Refused(
            _INVALID, f"{name} is not printable text, up to {MAX_CLAIM_LENGTH} characters"
        )
    return str(value)


def _words(scope: Any) -> frozenset[str]:
    """OAuth scopes: RFC 6749, 3.3 splits on U+0020 only; some providers send a list."""
    if isinstance(scope, str):
        return frozenset(filter(None, scope.split(" ")))
    if isinstance(scope, list):
        return frozenset(word for word in scope if isinstance(word, str))
    return frozenset()


def plan_of(claims: Mapping[str, Any]) -> str | None:
    """The plan claim: None when there is none, "" when it is not one printable text."""
    if PLAN_CLAIM not in claims:
        return None
    plan = claims[PLAN_CLAIM]
    return plan if _is_text(plan) else ""


def licence_of(claims: Mapping[str, Any]) -> str | None:
    """The licence claim, likewise; a blank one is none."""
    licence = claims.get(LICENCE_CLAIM)
    if licence is None or (isinstance(licence, str) and not licence.strip()):
        return None
    return licence if _is_text(licence) else ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_CLAIM_LENGTH and value.isprintable()
