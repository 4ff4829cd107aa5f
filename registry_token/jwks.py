"""Reading a JSON Web Key Set (RFC 7517): hostile input, even from one's own Authority.

Only public signature keys are taken, each for the algorithms that its type, curve and `alg` allow
(RFC 8725, 3.1). Unknown, broken and weak entries are skipped, as RFC 7517, 5 asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from registry_token.key_ids import thumbprint
from registry_token.strict_json import parse_object

MINIMUM_RSA_BITS = 2048
MAX_KEYS = 100

_RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_EC_ALGORITHMS = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
# Keys of chips with CVE-2017-15361 (ROCA) can be factored. Their moduli are powers of 65537 modulo
# each of these primes, which other moduli are with a chance of one in two hundred million.
_ROCA_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
_ROCA_REMAINDERS = {
    prime: {pow(65537, exponent, prime) for exponent in range(prime)} for prime in _ROCA_PRIMES
}
_PUBLIC_MEMBERS = {"RSA": ("kty", "n", "e"), "EC": ("kty", "crv", "x", "y")}


@dataclass(frozen=True, slots=True)
class KeySet:
    """Verification keys by key id and algorithm. A key without an id has the id None."""

    keys: Mapping[tuple[str | None, str], PyJWK]

    def find(self, kid: str | None, algorithm: str) -> PyJWK | None:
        """The key that a header names; without a `kid` the only one that fits, else None."""
        if kid is not None:
            return self.keys.get((kid, algorithm))
        fitting = [key for (_, known_for), key in self.keys.items() if known_for == algorithm]
        return fitting[0] if len(fitting) == 1 else None

    def key_ids(self) -> list[str]:
        """The distinct key ids, for people."""
        return sorted({kid or "(none)" for kid, _ in self.keys})

    def rsa_thumbprints(self) -> set[str]:
        """The RFC 7638 thumbprints of the RSA keys."""
        keys = (key.key for key in self.keys.values())
        return {thumbprint(key) for key in keys if isinstance(key, RSAPublicKey)}


def parse_jwks(document: bytes, algorithms: tuple[str, ...]) -> KeySet:
    """The usable keys of a JWK set. Raises ValueError when it is none, or holds no usable key."""
    entries = parse_object(document).get("keys")
    if not isinstance(entries, list):
        raise ValueError("has no list of keys: not a JWK set")
    keys: dict[tuple[str | None, str], PyJWK] = {}
    for entry in entries[:MAX_KEYS]:
        if isinstance(entry, dict):
            for algorithm, key in _usable(entry, algorithms):
                keys.setdefault((entry.get("kid"), algorithm), key)
    if not keys:
        raise ValueError(f"holds no public signature key for {', '.join(algorithms)}")
    return KeySet(keys)


def _usable(entry: dict[str, Any], algorithms: tuple[str, ...]) -> Iterator[tuple[str, PyJWK]]:
    """The entry as a key of each allowed algorithm that it can be used with."""
    if not isinstance(entry.get("kid"), str | None) or not _is_for_signatures(entry):
        return
    for algorithm in _fitting_algorithms(entry):
        if algorithm not in algorithms:
            continue
        members = _PUBLIC_MEMBERS[entry["kty"]]
        try:
            key = PyJWK({name: entry[name] for name in members}, algorithm)
        except (PyJWTError, KeyError, ValueError, TypeError, AttributeError):
            return
        if not isinstance(key.key, RSAPublicKey) or _is_strong(key.key):
            yield algorithm, key


def _is_strong(key: RSAPublicKey) -> bool:
    """RFC 7518, 3.3 wants 2048 bits or more; and no ROCA."""
    modulus = key.public_numbers().n
    return key.key_size >= MINIMUM_RSA_BITS and not all(
        modulus % prime in remainders for prime, remainders in _ROCA_REMAINDERS.items()
    )


def _is_for_signatures(entry: dict[str, Any]) -> bool:
    operations = entry.get("key_ops")
    return entry.get("use", "sig") == "sig" and (
        operations is None or (isinstance(operations, list) and "verify" in operations)
    )


def _fitting_algorithms(entry: dict[str, Any]) -> tuple[str, ...]:
    """What the key's type and curve allow, narrowed to its `alg` when it names one."""
    match entry.get("kty"):
        case "RSA":
            fitting: tuple[str, ...] = _RSA_ALGORITHMS
        case "EC":
            fitting = tuple(filter(None, [_EC_ALGORITHMS.get(str(entry.get("crv")))]))
        case _:
            return ()
    return tuple(name for name in fitting if entry.get("alg", name) == name)
