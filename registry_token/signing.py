"""Signing registry tokens: the key with its identifiers, and the token's claims.

Distribution docs/content/spec/auth/jwt.md; RS256 of RFC 7518, 3.3, which every registry verifies.
"""

from __future__ import annotations

import base64
import functools
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from django.conf import settings

from registry_token.access import Access
from registry_token.key_ids import libtrust_id, public_jwk, thumbprint

ALGORITHM = "RS256"
_PADDING, _HASH = padding.PKCS1v15(), hashes.SHA256()  # RFC 7518, 3.3
MINIMUM_BITS = 2048
# zot compares `iat` and `nbf` with its own clock and allows no difference.
BACKDATED_BY = timedelta(seconds=5)


class SigningKeyError(Exception):
    """The key or its certificate cannot be used; the message says which file, why, and the fix."""


@dataclass(frozen=True, repr=False)
class SigningKey:
    """The RSA key, the id under which registries and /jwks know it, and its certificate chain.

    `x5c` is in the form of RFC 7515, 4.1.6: standard base64 of DER, leaf first.
    """

    private_key: RSAPrivateKey
    kid: str
    x5c: tuple[str, ...]
    expires_at: datetime | None
    """When the first of the certificates expires."""

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWS in compact form, RFC 7515, 7.1. The header is the same for all tokens."""
        return self._signed(self._header, claims)

    def sign_statement(self, said: dict[str, Any], *, typ: str) -> str:
        """A JWS that is no token and never passes for one: by its `typ` (RFC 8725, 3.11), and
        because registries want an audience, an expiry and access, none of which `said` may have.
        """
        return self._signed(_header_of({"typ": typ, "kid": self.kid}), said)

    def _signed(self, header: bytes, claims: dict[str, Any]) -> str:
        signed = header + b"." + _base64url(_compact_json(claims))
        signature = self.private_key.sign(signed, _PADDING, _HASH)
        return (signed + b"." + _base64url(signature)).decode()

    @functools.cached_property
    def _header(self) -> bytes:
        certificates = {"x5c": self.x5c} if self.x5c else {}
        return _header_of({"typ": "JWT", "kid": self.kid} | certificates)

    def jwk(self) -> dict[str, Any]:
        """The public half, RFC 7517."""
        return public_jwk(self.private_key.public_key(), self.kid)


@dataclass(frozen=True, slots=True)
class RegistryToken:
    """A signed token and what the answer says about it. `expires_in` in seconds."""

    encoded: str
    jti: UUID
    issued_at: datetime
    expires_in: int
    access: Access

    def __repr__(self) -> str:
        return f"RegistryToken(jti={self.jti})"

    @property
    def expires_at(self) -> datetime:
        """The token's `exp`."""
        return self.issued_at + timedelta(seconds=self.expires_in)


def _header_of(members: dict[str, Any]) -> bytes:
    return _base64url(_compact_json({"alg": ALGORITHM} | members))


def _compact_json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _base64url(data: bytes) -> bytes:
    """RFC 7515, 2: without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def issue(
    *, subject: str, audience: str, access: Access, jti: UUID, now: datetime
) -> RegistryToken:
    """Sign a token for `access` on the registry `audience`. Raises SigningKeyError."""
    key = signing_key()
    issued_at = (now - BACKDATED_BY).replace(microsecond=0)
    issued = int(issued_at.timestamp())
    claims = {
        "iss": settings.SIGNING_ISSUER,
        "sub": subject,
        "aud": audience,
        "exp": issued + settings.SIGNING_LIFETIME,
        "nbf": issued,
        "iat": issued,
        "jti": str(jti),
        "access": [resource.entry() for resource in access],
    }
    return RegistryToken(key.sign(claims), jti, issued_at, settings.SIGNING_LIFETIME, access)


def signing_key() -> SigningKey:
    """The configured key, read once for each process.

    Raises SigningKeyError, also from the moment that its certificate has expired.
    """
    key = load_signing_key(settings.SIGNING_KEY, settings.SIGNING_CERTIFICATE, settings.SIGNING_KID)
    if key.expires_at is not None and key.expires_at <= datetime.now(UTC):
        raise SigningKeyError(
            f"{settings.SIGNING_CERTIFICATE} holds a certificate that expired on"
            f" {key.expires_at:%Y-%m-%d}; registries refuse such tokens: renew it"
        )
    return key


@functools.cache
def load_signing_key(path: str | None, certificate_path: str | None, kid_format: str) -> SigningKey:
    """The key of a PEM file with the chain of a second one. Raises SigningKeyError."""
    if path is None:
        raise SigningKeyError(
            "REGISTRY_TOKEN_SIGNING_KEY is not set; make a key with"
            " `manage.py generate_signing_key --out PATH` and set it to that path"
        )
    private_key = _read_private_key(path)
    public_key = private_key.public_key()
    kid = libtrust_id(public_key) if kid_format == "libtrust" else thumbprint(public_key)
    chain = _read_chain(certificate_path, public_key) if certificate_path else ()
    x5c = tuple(
        base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()
        for certificate in chain
    )
    expires_at = min((certificate.not_valid_after_utc for certificate in chain), default=None)
    return SigningKey(private_key, kid, x5c, expires_at)


def _read_private_key(path: str) -> RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(Path(path).read_bytes(), password=None)
    except OSError as error:
        raise SigningKeyError(f"the signing key {path} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError):
        # The library's own message may quote the file.
        raise SigningKeyError(f"{path} is not an unencrypted private key in PEM form") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < MINIMUM_BITS:
        raise SigningKeyError(f"{path} must be an RSA key of at least {MINIMUM_BITS} bits")
    return key


def _read_chain(path: str, public_key: RSAPublicKey) -> tuple[x509.Certificate, ...]:
    try:
        chain = x509.load_pem_x509_certificates(Path(path).read_bytes())
    except OSError as error:
        raise SigningKeyError(f"the certificate {path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise SigningKeyError(f"{path} holds no certificate in PEM form") from None
    if chain[0].public_key() != public_key:
        raise SigningKeyError(f"the first certificate in {path} is not of the signing key")
    return tuple(chain)
