"""Logging in through the Authority: OpenID Connect Core 1.0, authorization code with PKCE.

The way there, and the way back: a code becomes verified claims of an ID token. Who that is and what
they may do is decided elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import secrets
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

import jwt
from django.conf import settings
from jwt.exceptions import PyJWTError

from registry_token.authority import MAX_TOKEN_LENGTH, StrictJWT
from registry_token.authority_keys import endpoint, key_source, metadata
from registry_token.errors import Unavailable
from registry_token.fetch import UnexpectedStatus, fetch
from registry_token.strict_json import parse_object

MAX_TEXT = 255  # characters of a subject
# Whoever comes may start a log-in: a slow Authority must not occupy every thread.
_IN_FLIGHT = threading.BoundedSemaphore(4)
_jwt = StrictJWT()


class SsoRefused(Exception):
    """What came back proves nothing. The text is for the log."""


class SsoUnavailable(Exception):
    """The Authority does not answer as it should. The text is for the log."""


def secrets_of_a_login() -> dict[str, str]:
    """What only this browser may know: RFC 6749, 10.12; OpenID Connect Core, 3.1.2.1; RFC 7636."""
    return {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}


def authorization_url(pending: Mapping[str, str], redirect_uri: str) -> str:
    """Where the browser has to go. Raises SsoUnavailable."""
    digest = hashlib.sha256(pending["verifier"].encode()).digest()
    parameters = {
        "response_type": "code",
        "client_id": settings.SSO_CLIENT_ID,
        "redirect_uri": redirect_uri,
        "scope": " ".join(dict.fromkeys(("openid", *settings.SSO_SCOPES))),
        "state": pending["state"],
        "nonce": pending["nonce"],
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    url = _asking(lambda: endpoint(metadata(settings.AUTHORITY_ISSUER), "authorization_endpoint"))
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"


def verified_claims(code: str, pending: Mapping[str, str], redirect_uri: str) -> dict[str, Any]:
    """The claims of the ID token that a code stands for. Raises SsoRefused, SsoUnavailable."""
    answer = _asking(lambda: _redeem(code, pending["verifier"], redirect_uri))
    id_token = answer.get("id_token")
    if not isinstance(id_token, str) or len(id_token) > MAX_TOKEN_LENGTH:
        raise SsoRefused("the answer holds no ID token")
    try:
        claims = _decode(id_token)
    except PyJWTError as error:
        raise SsoRefused(f"ID token: {error}") from None
    except Unavailable as error:
        raise SsoUnavailable(str(error)) from None
    if problem := _problem(claims, pending["nonce"]):
        raise SsoRefused(f"ID token: {problem}")
    return claims


def groups(claims: Mapping[str, Any]) -> set[str]:
    """Our groups that the Authority's groups of a person stand for."""
    theirs = claims.get(settings.SSO_GROUP_CLAIM)
    if isinstance(theirs, str):
        theirs = [theirs]
    if not isinstance(theirs, list):
        return set()
    return {ours for name, ours in settings.SSO_GROUPS if name in theirs}


def _redeem(code: str, verifier: str, redirect_uri: str) -> dict[str, Any]:
    """Exchange the code: RFC 6749, 4.1.3."""
    document = metadata(settings.AUTHORITY_ISSUER)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "client_id": settings.SSO_CLIENT_ID,
        "code_verifier": verifier,
    }
    headers = {}
    if secret := settings.SSO_CLIENT_SECRET:
        methods = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" in methods:
            pair = f"{quote_plus(settings.SSO_CLIENT_ID)}:{quote_plus(secret)}"  # RFC 6749, 2.3.1
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form["client_secret"] = secret
    try:
        return parse_object(fetch(endpoint(document, "token_endpoint"), form, headers))
    except UnexpectedStatus as error:
        if error.status == 400:  # RFC 6749, 5.2: the code is not, or no longer, good
            raise SsoRefused(str(error)) from None
        raise


def _asking(question: Any) -> Any:
    if not _IN_FLIGHT.acquire(blocking=False):
        raise SsoUnavailable("too many log-ins wait for the Authority")
    try:
        return question()
    except (OSError, http.client.HTTPException, ValueError, TypeError) as error:
        raise SsoUnavailable(f"{type(error).__name__}: {error}") from None
    finally:
        _IN_FLIGHT.release()


def _decode(id_token: str) -> dict[str, Any]:
    """OpenID Connect Core, 3.1.3.7; the key is the Authority's, never the token's."""
    header = jwt.get_unverified_header(id_token)
    algorithm, kind = header.get("alg"), header.get("typ", "JWT")
    if algorithm not in settings.AUTHORITY_ALGORITHMS or "crit" in header:
        raise jwt.InvalidTokenError("alg or crit is not allowed")
    if not isinstance(kind, str) or kind.upper() != "JWT":  # an access token is no ID token
        raise jwt.InvalidTokenError("typ is not JWT")
    key = key_source().find(header.get("kid"), algorithm)
    if key is None:
        raise jwt.InvalidTokenError("signed with a key that the Authority does not publish")
    claims: dict[str, Any] = _jwt.decode(
        id_token,
        key,
        algorithms=[algorithm],
        issuer=settings.AUTHORITY_ISSUER,
        audience=settings.SSO_CLIENT_ID,
        leeway=settings.AUTHORITY_LEEWAY,
        options={"require": ["iss", "aud", "exp", "iat", "sub", "nonce"]},
    )
    return claims


def _problem(claims: Mapping[str, Any], nonce: str) -> str:
    """What PyJWT does not look at."""
    given, subject = claims["nonce"], claims["sub"]
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        return "nonce is that of another log-in"
    if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and "azp" not in claims:
        return "azp is missing, with several aud"
    if claims.get("azp", settings.SSO_CLIENT_ID) != settings.SSO_CLIENT_ID:
        return "azp is another client"
    if not subject or len(subject) > MAX_TEXT or not subject.isprintable():
        return f"sub is not printable text, up to {MAX_TEXT} characters"
    return ""
