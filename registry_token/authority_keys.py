"""Where the Authority's public keys come from: a file, a URL, or OIDC discovery.

Good keys are never replaced by an answer that is none, and go on serving for a day after the last
good one. A request waits for the network only when there is no key that could verify it. Whatever
callers send, they make the service ask the Authority at most once per cool-down.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from jwt import PyJWK

from registry_token.config_values import fetchable_url
from registry_token.errors import Unavailable
from registry_token.fetch import SIZE_LIMIT, fetch
from registry_token.jwks import KeySet, parse_jwks
from registry_token.strict_json import parse_object

logger = logging.getLogger(__name__)

# Of the requests whose key is unknown, only so many may wait for new keys: half of the threads of
# a worker stay free for those whose key is at hand, however slow the Authority is.
MAX_WAITING = 4


@dataclass(frozen=True, slots=True)
class Timing:
    """When keys are fetched and how long they serve. All in seconds."""

    refresh_after: float = 300
    cool_down: float = 30
    """Between two refreshes, and between two searches for unknown keys, whatever came of them."""
    retry_without_keys: float = 10
    keep_for: float = 24 * 3600
    wait_without_keys: float = 3
    wait_for_unknown_key: float = 2


TIMING = Timing()


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """For people: the key ids at hand, seconds since they were last confirmed, the last fault."""

    key_ids: list[str]
    age: float | None
    error: str
    keep_for: float

    @property
    def seconds_left(self) -> float | None:
        """How long the keys go on serving if no more good answer comes."""
        return None if self.age is None else max(0.0, self.keep_for - self.age)


class KeySource(Protocol):
    """What `authority` and the readiness check need of either source."""

    def current(self) -> KeySet:
        """The keys at hand. Raises Unavailable when there are none."""

    def find(self, kid: str | None, algorithm: str) -> PyJWK | None:
        """The key, or None when the Authority has none such. Raises Unavailable without keys."""

    def status(self) -> KeyStatus:
        """The state of the keys, after trying to have some."""


def key_source() -> KeySource:
    """The configured source, one for each process."""
    return _source(
        settings.AUTHORITY_JWKS, settings.AUTHORITY_ISSUER, settings.AUTHORITY_ALGORITHMS
    )


@functools.cache
def _source(jwks: str | None, issuer: str, algorithms: tuple[str, ...]) -> KeySource:
    if jwks is None:
        return FetchedKeys(lambda: parse_jwks(fetch(_discovered(issuer)), algorithms))
    if "://" in jwks:
        return FetchedKeys(lambda: parse_jwks(fetch(jwks), algorithms))
    return FileKeys(jwks, algorithms)


def _discovered(issuer: str) -> str:
    """The `jwks_uri` of the issuer's metadata. OpenID Connect Discovery 1.0, 4.3."""
    return endpoint(metadata(issuer), "jwks_uri")


def metadata(issuer: str) -> dict[str, Any]:
    """The issuer's discovery document. Raises as `fetch` does."""
    document = parse_object(fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration"))
    if document.get("issuer") != issuer:
        raise ValueError("the discovery document names another issuer than the configured one")
    return document


def endpoint(document: Mapping[str, Any], name: str) -> str:
    """One URL of a discovery document: https, if the issuer's is. Raises ValueError."""
    url = document.get(name)
    if not isinstance(url, str):
        raise ValueError(f"the discovery document names no {name}")
    if document["issuer"].startswith("https:") and not url.startswith("https:"):
        raise ValueError(f"the discovery document of an https issuer names a {name} without https")
    return fetchable_url(url)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the last look at the file came to. Replaced as a whole: readers take no lock."""

    fingerprint: tuple[int, ...] | None = None
    keys: KeySet | None = None
    broken_since: float | None = None
    error: str = "not read yet"


class FileKeys:
    """Keys in a file, read again whenever it has changed. A broken new file leaves the old keys."""

    def __init__(
        self, path: str, algorithms: tuple[str, ...], keep_for: float = TIMING.keep_for
    ) -> None:
        self._path = path
        self._keep_for = keep_for
        self._algorithms = algorithms
        self._lock = threading.Lock()
        self._last = _Reading()

    def current(self) -> KeySet:
        """The keys that the file holds, or held. Raises Unavailable when it never held any."""
        if (keys := self._current().keys) is None:
            raise Unavailable(
                "the Authority's keys cannot be read; try again later", reason="authority_keys"
            )
        return keys

    def find(self, kid: str | None, algorithm: str) -> PyJWK | None:
        """The key that a header names. Raises Unavailable when the file never held keys."""
        return self.current().find(kid, algorithm)

    def status(self) -> KeyStatus:
        """The state of the file's keys; their age counts from when the file went bad."""
        last = self._current()
        if last.keys is None:
            return KeyStatus([], None, last.error, self._keep_for)
        age = 0.0 if last.broken_since is None else time.monotonic() - last.broken_since
        return KeyStatus(last.keys.key_ids(), age, last.error, self._keep_for)

    def holds(self, thumbprint: str) -> bool:
        """Whether a key with this RFC 7638 thumbprint is among them."""
        keys = self._current().keys
        return keys is not None and thumbprint in keys.rsa_thumbprints()

    def _current(self) -> _Reading:
        if self._fingerprint() != self._last.fingerprint:
            with self._lock:
                self._last = self._read(self._last)
        last = self._last
        if last.broken_since is not None and time.monotonic() - last.broken_since > self._keep_for:
            return replace(last, keys=None)
        return last

    def _fingerprint(self) -> tuple[int, ...]:
        """Changes with the content, and with the mode: a file may become readable later."""
        try:
            stat = Path(self._path).stat()
        except OSError:
            return ()
        return (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino)

    def _read(self, before: _Reading) -> _Reading:
        # Taken before reading: a change while reading is noticed by the next request.
        fingerprint = self._fingerprint()
        if fingerprint == before.fingerprint:
            return before
        try:
            with open(self._path, "rb") as file:
                keys = parse_jwks(file.read(SIZE_LIMIT), self._algorithms)
        except (OSError, ValueError) as error:
            problem = f"{self._path}: {error}"
            logger.error("the Authority's key file is not usable: %s", problem)
            broken_since = before.broken_since or time.monotonic()
            return _Reading(fingerprint, before.keys, broken_since, problem)
        return _Reading(fingerprint, keys, None, "")


class FetchedKeys:
    """Keys behind a URL. One fetch at a time, in a thread of its own."""

    def __init__(self, load: Callable[[], KeySet], timing: Timing = TIMING) -> None:
        self._load = load
        self._timing = timing
        self._lock = threading.RLock()
        self._waiting = threading.BoundedSemaphore(MAX_WAITING)
        self._fetching: threading.Event | None = None
        self._keys: KeySet | None = None
        self._loaded_at = float("-inf")
        self._attempted_at = float("-inf")
        self._unknown_at = float("-inf")
        self._error = "not fetched yet"

    def find(self, kid: str | None, algorithm: str) -> PyJWK | None:
        """The key that a header names; an unknown one is looked for once per cool-down.

        Raises Unavailable when there are no keys at all.
        """
        key = self.current().find(kid, algorithm)
        if key is None:
            self._look_for_unknown()
            key = self.current().find(kid, algorithm)
        return key

    def status(self) -> KeyStatus:
        """The state of the keys."""
        try:
            keys = self.current()
        except Unavailable:
            return KeyStatus([], None, self._error, self._timing.keep_for)
        age = time.monotonic() - self._loaded_at
        return KeyStatus(keys.key_ids(), age, self._error, self._timing.keep_for)

    def current(self) -> KeySet:
        """The keys at hand, refreshed in the background when they have aged.

        Raises Unavailable when there are none.
        """
        keys = self._keys
        now = time.monotonic()
        if keys is None or now - self._loaded_at > self._timing.keep_for:
            return self._first_keys()
        due = max(
            self._loaded_at + self._timing.refresh_after,
            self._attempted_at + self._timing.cool_down,
        )
        if now > due:
            self._start()
        return keys

    def _first_keys(self) -> KeySet:
        """Fetch, and wait for it, unless that has just failed."""
        with self._lock:
            wait = self._attempted_at + self._timing.retry_without_keys - time.monotonic()
            over = self._start() if wait <= 0 else self._fetching
        if over is not None:
            over.wait(self._timing.wait_without_keys)
            wait = self._timing.retry_without_keys
        keys = self._keys
        if keys is None or time.monotonic() - self._loaded_at > self._timing.keep_for:
            raise Unavailable(
                "the Authority's keys are out of reach; try again later",
                reason="authority_keys",
                retry_after=wait,
            )
        return keys

    def _look_for_unknown(self) -> None:
        """Ask for new keys, at most once per cool-down, and wait for an answer under way."""
        with self._lock:
            over = self._fetching
            now = time.monotonic()
            if over is None and now - self._unknown_at >= self._timing.cool_down:
                self._unknown_at = now
                over = self._start()
        if over is not None and self._waiting.acquire(blocking=False):
            try:
                over.wait(self._timing.wait_for_unknown_key)
            finally:
                self._waiting.release()

    def _start(self) -> threading.Event:
        """Begin a fetch unless one is under way; the event is set when it is over."""
        with self._lock:
            if self._fetching is None:
                over = threading.Event()
                threading.Thread(target=self._fetch, args=[over], daemon=True).start()
                self._fetching = over
            return self._fetching

    def _fetch(self, over: threading.Event) -> None:
        try:
            self._keys = self._load()
            self._loaded_at, self._error = time.monotonic(), ""
        except Exception as error:  # noqa: BLE001  (whatever the network does, the keys stay)
            self._error = f"{type(error).__name__}: {error}"
            logger.error("the Authority's keys could not be fetched: %s", self._error)
        finally:
            with self._lock:
                self._attempted_at = time.monotonic()
                self._fetching = None
            over.set()
