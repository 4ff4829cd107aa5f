"""The Authority of the tests: a real key, a real JWK set, tokens with any claims one likes."""

from __future__ import annotations

import json
import secrets
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

ISSUER = "https://authority.example.com"
AUDIENCE = "registry-token"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def new_rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def public_jwk(key: PrivateKey, kid: str | None, **members: Any) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        jwk = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    else:
        jwk = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    jwk.pop("key_ops", None)
    return dict(jwk) | ({"kid": kid} if kid is not None else {}) | members


def jwks_bytes(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": keys}).encode()


class Authority:
    """Issues caller tokens for the service under test."""

    def __init__(self, issuer: str = ISSUER, audience: str = AUDIENCE) -> None:
        self.issuer = issuer
        self.audience = audience
        self.key = new_rsa_key()
        self.kid = "authority-" + secrets.token_hex(4)

    def jwks(self) -> bytes:
        return jwks_bytes(public_jwk(self.key, self.kid))

    def publish(self, path: str | Path) -> None:
        """Write the JWK set as an Authority's operator would: at once, by renaming."""
        new = Path(f"{path}.new")
        new.write_bytes(self.jwks())
        new.replace(path)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """The claims of a good token. A change to None takes the claim away."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": "alice",
            "client_id": "ci",
            "iat": now,
            "exp": now + 600,
            "jti": secrets.token_hex(8),
            "scope": "openid registry.token.issue",
        }
        claims |= changes
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self,
        plan: Any = None,
        licence: Any = None,
        *,
        key: PrivateKey | None = None,
        algorithm: str = "RS256",
        headers: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """A caller token; `headers` and further claims replace the good ones."""
        claims = self.claims(**{"stellaops:plan": plan, "stellaops:license": licence} | changes)
        header = {"typ": "at+jwt", "kid": self.kid} | (headers or {})
        header = {name: value for name, value in header.items() if value is not None}
        return jwt.encode(claims, key or self.key, algorithm=algorithm, headers=header)
