"""A pasted registry token as what it says, once its signature has been verified.

The token is a credential: nothing here keeps it, logs it or repeats it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from django.utils.translation import gettext as _

from registry_token.signing import ALGORITHM, SigningKey, SigningKeyError, load_signing_key

# RFC 7515, 7.1; a header is a JSON object, so it begins so. A part of one counts, too.
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{10,}(?:\.[A-Za-z0-9_-]*)*")


class NotOurs(ValueError):
    """What was pasted is no registry token of this service; the message says what to paste."""


@dataclass(frozen=True, slots=True)
class PastedToken:
    """What a genuine token says of itself."""

    jti: UUID
    expires_at: datetime


def token_in(text: str) -> str | None:
    """The first token in a text, such as an Authorization header or an answer of /token."""
    found = _TOKEN.search("".join(text.split()))
    return found and found[0]


def read_registry_token(token: str) -> PastedToken:
    """Verify by the service's own key. It may have expired. Raises NotOurs."""
    key = _key()
    try:
        unverified_header = jwt.get_unverified_header(token)
        unverified_claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, RecursionError):
        message = _("This is only a part of a token. Paste all of it, or its jti.")
        raise NotOurs(message) from None
    try:
        public_key = key.private_key.public_key()
        jwt.PyJWS().decode_complete(token, public_key, algorithms=[ALGORITHM])
    except jwt.PyJWTError:
        raise NotOurs(_why(key, unverified_header, unverified_claims)) from None
    claims = unverified_claims  # verified by now
    try:
        is_token = unverified_header["typ"] == "JWT" and claims["iss"] == settings.SIGNING_ISSUER
        pasted = PastedToken(UUID(claims["jti"]), datetime.fromtimestamp(claims["exp"], UTC))
    except (KeyError, TypeError, ValueError, OverflowError):
        is_token = False
    if not is_token:
        raise NotOurs(_("This was signed by this service, but is none of its registry tokens."))
    return pasted


def _key() -> SigningKey:
    names = settings.SIGNING_KEY, settings.SIGNING_CERTIFICATE, settings.SIGNING_KID
    try:
        return load_signing_key(*names)
    except SigningKeyError:
        message = _("The service has no signing key to verify a token by. Paste the token's jti.")
        raise NotOurs(message) from None


def _why(key: SigningKey, unverified_header: dict[str, Any], unverified_claims: Any) -> str:
    issuer = unverified_claims.get("iss")
    if issuer == settings.AUTHORITY_ISSUER:
        return _(
            "This says that it is an access token of the Authority: a password, which has no place"
            " here. It was not kept. Paste the registry token that it was exchanged for, the"
            " request id of the answer, or the subject."
        )
    if issuer != settings.SIGNING_ISSUER:
        return _("This token was not issued by this service. Paste one of its registry tokens.")
    if unverified_header.get("kid") != key.kid:
        return _(
            "The signature cannot be verified: the token names another key than the service's"
            " present one. It was signed before the key was changed, or is forged. To look for its"
            " row, paste its jti."
        )
    return _(
        "The signature is wrong: the token was forged, altered or not copied as a whole. No row is"
        " looked for by what it says."
    )
