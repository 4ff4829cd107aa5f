"""How a public RSA key is named and published: key ids and JSON Web Keys."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm


def thumbprint(key: RSAPublicKey) -> str:
    """The key id of RFC 7638: SHA-256 over the required members, base64url without padding."""
    members = RSAAlgorithm.to_jwk(key, as_dict=True)
    text = f'{{"e":"{members["e"]}","kty":"RSA","n":"{members["n"]}"}}'
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def libtrust_id(key: RSAPublicKey) -> str:
    """The key id of libtrust, which registries 2.x compute: 240 bits of SHA-256 in base32."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ":".join(text[start : start + 4] for start in range(0, len(text), 4))


def public_jwk(key: RSAPublicKey, kid: str) -> dict[str, Any]:
    """The key as a JWK for RS256 signatures, RFC 7517: public members only."""
    members = RSAAlgorithm.to_jwk(key, as_dict=True)
    public = {name: members[name] for name in ("kty", "n", "e")}
    return public | {"use": "sig", "alg": "RS256", "kid": kid}
