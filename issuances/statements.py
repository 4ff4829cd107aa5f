"""Statements that the service has signed: manifests of exports, seals of the log.

Compact JWS (RFC 7515, 7.1), RS256, each kind with a `typ` of its own (RFC 8725, 3.11). To verify
one takes the public key and nothing else: no configuration, no database, no Django.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

MANIFEST = "issuance-manifest+jws"
SEAL = "issuance-seal+jws"
_ALGORITHM = "RS256"
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


class StatementError(ValueError):
    """The statement or the key is not what it should be; the message says why."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key that is trusted, and the id it goes by; files in PEM form name none."""

    kid: str | None
    key: RSAPublicKey


def read_keys(paths: Iterable[Path]) -> list[PublicKey]:
    """The keys in files: PEM (keys or certificates), a JWK, or a JWK set as of /jwks.

    Raises StatementError, OSError.
    """
    keys = [key for path in paths for key in keys_in(path.read_bytes(), str(path))]
    if not keys:
        raise StatementError("there is no key to verify by; give the service's public key")
    return keys


def keys_in(document: bytes, name: str) -> Iterator[PublicKey]:
    """The keys of one file. Raises StatementError."""
    try:
        found = list(_jwks(document) if document.lstrip().startswith(b"{") else _pem(document))
    except (ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError, UnsupportedAlgorithm):
        raise StatementError(f"{name} holds no public key, neither as PEM nor as JWK") from None
    for kid, key in found:
        if not isinstance(key, RSAPublicKey):
            raise StatementError(f"{name} holds something else than RSA public keys")
        yield PublicKey(kid, key)


def opened(statement: str, keys: Iterable[PublicKey], *, typ: str) -> dict[str, Any]:
    """What a statement of the kind `typ` says, signed by one of the keys. Raises StatementError.

    A key that goes by an id counts for what names it; one without counts for any.
    """
    kid = _key_id_in(statement, typ)
    for one in keys:
        if one.kid not in (None, kid):
            continue
        try:
            said = json.loads(jwt.PyJWS().decode(statement, one.key, algorithms=[_ALGORITHM]))
        except (jwt.PyJWTError, ValueError, RecursionError):
            continue
        if isinstance(said, dict):
            return said
    raise StatementError(
        f"it is not signed by any of the keys that were given; it names the key {kid!r}."
        " Where the service's key was changed, give the former one, too"
    )


def unverified_claims(statement: str) -> dict[str, Any]:
    """What a statement says that nobody has verified; {} when it is none."""
    try:
        claims: dict[str, Any] = jwt.decode(statement, options={"verify_signature": False})
    except (jwt.PyJWTError, RecursionError):
        return {}
    return claims


def _key_id_in(statement: str, typ: str) -> str:
    """Nothing but what our own statements have in their header passes."""
    if not _COMPACT.fullmatch(statement):
        raise StatementError("this is no signed statement")
    try:
        header = jwt.get_unverified_header(statement)
    except (jwt.PyJWTError, RecursionError):
        raise StatementError("this is no signed statement") from None
    if header.get("typ") != typ:
        raise StatementError(f"this is no statement of the type {typ}")
    if header.keys() != {"alg", "typ", "kid"} or header["alg"] != _ALGORITHM:
        raise StatementError(f"a statement has alg {_ALGORITHM}, typ and kid in its header")
    return str(header["kid"])


def _pem(document: bytes) -> Iterator[tuple[str | None, Any]]:
    if b"BEGIN CERTIFICATE" in document:
        yield None, x509.load_pem_x509_certificates(document)[0].public_key()
    else:
        yield None, serialization.load_pem_public_key(document)


def _jwks(document: bytes) -> Iterator[tuple[str | None, Any]]:
    content = json.loads(document)
    for jwk in content.get("keys", [content]):
        yield jwk.get("kid"), RSAAlgorithm.from_jwk(jwk)
