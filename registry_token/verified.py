"""Access tokens that were verified a moment ago: a client asks for one registry token after another
with the same access token, and the same signature need not be verified each time.

Tokens are known by their SHA-256 only. What was verified by other keys or under other rules than
the present ones does not count, nor does it beyond the token's own `exp`.
"""

from __future__ import annotations

import hashlib
import threading
from typing import Any, Generic, NamedTuple, TypeVar

Caller = TypeVar("Caller")

MAX_TOKENS = 10_000  # about 1 KiB each
MAX_LENGTH = 4096  # characters; of a longer token the caller may be as large, with its scopes


class Verification(NamedTuple, Generic[Caller]):
    """That a token was verified, when and by what. Times in seconds since 1970."""

    basis: tuple[Any, ...]
    """The keys and the rules. Keys that were read anew are others, even if they are equal."""
    at: float
    expires_at: float
    caller: Caller


class VerifiedTokens(Generic[Caller]):
    """The last `most` verified tokens and their callers."""

    def __init__(self, most: int = MAX_TOKENS) -> None:
        self._most = most
        self._verifications: dict[bytes, Verification[Caller]] = {}
        self._lock = threading.Lock()

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._verifications

    def __len__(self) -> int:
        return len(self._verifications)

    def recall(self, digest: bytes, basis: tuple[Any, ...], now: float) -> Caller | None:
        """The token's caller, or None when it has to be verified."""
        known = self._verifications.get(digest)
        if known is None or known.basis != basis:
            return None
        # A clock that was set back may stand before the token's `nbf`.
        return known.caller if known.at <= now < known.expires_at else None

    def remember(self, digest: bytes, verification: Verification[Caller]) -> None:
        """Keep a verification; the oldest makes room for it."""
        with self._lock:
            self._verifications.pop(digest, None)
            while len(self._verifications) >= self._most:
                del self._verifications[next(iter(self._verifications))]
            self._verifications[digest] = verification


def digest_of(token: str) -> bytes:
    """The token's SHA-256, whatever the text."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
