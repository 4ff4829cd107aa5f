"""Failed authentications of each client network, and which of them are answered 429, not 401.

The counts are in one table of fixed size, in memory that a process shares with those it forks: a
server that imports this module before it forks has one count for all of its workers. Valid callers
and requests without credentials never come here. Neither addresses nor credentials are stored,
only hashes of them under a key of this run, so that nobody can choose what collides.

Nothing of Django is imported: the process that forks the workers stays small.
"""

from __future__ import annotations

import functools
import hashlib
import ipaddress
import logging
import math
import mmap
import secrets
import struct
import threading
import time
from typing import NamedTuple

logger = logging.getLogger(__name__)

WINDOW = 60_000  # milliseconds, from a network's first failure
PAIR = 5_000  # milliseconds within which a client repeats its failed POST as GET
SETS = 8192
WAYS = 4  # networks in a set
PREFIXES = {4: 24, 6: 56}  # bits of an address that are its network: what one household gets

_RECORD = struct.Struct("QQQII")
_SET_SIZE = WAYS * _RECORD.size
_MOST = 2**32 - 1


class _Window(NamedTuple):
    """The failures of one network."""

    network: int  # its hash
    started: int  # milliseconds of the monotonic clock, which all processes share
    pair: int  # the hash of the credential whose failed POST waits for its GET, or 0
    failures: int
    paired: int  # milliseconds from the start to that POST


# Processes take no lock: when two write at the same moment, one failure is lost, or a record is
# made of two halves. Neither does harm. Any bytes are a count and a time; a window that seems to
# begin in the future is over, so none is longer than WINDOW; and all that a wrong count does is to
# turn a 401 into a 429 or back.
class FailureTable:
    """The windows of at most `sets` x 4 networks; a new one takes the place of its set's oldest."""

    def __init__(self, sets: int = SETS) -> None:
        self.memory = mmap.mmap(-1, sets * _SET_SIZE)
        self._sets = sets
        self._key = secrets.token_bytes(32)
        self._one_thread = threading.Lock()

    def failed(
        self, address: str, credential: str, *, method: str, limit: int, now: float | None = None
    ) -> int:
        """Count a failure: 0 to answer it with 401, else 429 and the seconds of Retry-After.

        What comes after the first `limit` failures of a window is answered 429; nothing is when
        `limit` is 0. `now` is in seconds of time.monotonic().
        """
        if not limit:
            return 0
        ip = _ip_address(address)
        with self._one_thread:
            moment = int((time.monotonic() if now is None else now) * 1000)
            place, before = self._find(_network(ip), moment)
            after = self._counted(before, credential, method=method, at=moment - before.started)
            _RECORD.pack_into(self.memory, place, *after)
        if after.failures <= limit:
            return 0
        retry_after = math.ceil((after.started + WINDOW - moment) / 1000)
        if before.failures == limit:
            _log_crossed(ip, limit, retry_after)
        return retry_after

    def _find(self, network: bytes, moment: int) -> tuple[int, _Window]:
        """The network's window and its place; if there is none, a new one in the oldest's place."""
        name, number = struct.unpack("QQ", self._hash(network, 16))
        start = number % self._sets * _SET_SIZE
        oldest, place = -1, start
        for position in range(start, start + _SET_SIZE, _RECORD.size):
            window = _Window._make(_RECORD.unpack_from(self.memory, position))
            age = moment - window.started
            if not 0 <= age < WINDOW:
                age = WINDOW
            elif window.network == name:
                return position, window
            if age > oldest:
                oldest, place = age, position
        return place, _Window(name, moment, 0, 0, 0)

    def _counted(self, window: _Window, credential: str, *, method: str, at: int) -> _Window:
        """The window after a failure `at` milliseconds from its start.

        Clients such as containerd and buildkit repeat a failed POST as GET: one failure, not two.
        """
        is_awaited = method == "GET" and window.pair and at - window.paired <= PAIR
        if is_awaited and window.pair == self._credential(credential):
            return window._replace(pair=0)
        window = window._replace(failures=min(window.failures + 1, _MOST))
        if method == "POST":
            return window._replace(pair=self._credential(credential), paired=at)
        return window

    def _credential(self, credential: str) -> int:
        return int.from_bytes(self._hash(credential.encode(errors="surrogatepass"), 8))

    def _hash(self, content: bytes, size: int) -> bytes:
        return hashlib.blake2b(content, digest_size=size, key=self._key).digest()


_TABLE = FailureTable()


def failed(
    address: str, credential: str, *, method: str, limit: int, now: float | None = None
) -> int:
    """Count a failed authentication of this service: see FailureTable.failed."""
    return _TABLE.failed(address, credential, method=method, limit=limit, now=now)


def _ip_address(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address; an IPv4-mapped one as IPv4. A unix socket's peer, for one, has none."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return None
    return (ip.ipv4_mapped or ip) if ip.version == 6 else ip


@functools.lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """The client's network as text, such as 203.0.113.0/24."""
    return _network_text(_ip_address(address))


def _network_text(ip: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> str:
    if ip is None:
        return "no address"
    return str(ipaddress.ip_network((ip, PREFIXES[ip.version]), strict=False))


def _network(ip: ipaddress.IPv4Address | ipaddress.IPv6Address | None) -> bytes:
    return ip.packed[: PREFIXES[ip.version] // 8] if ip else b""


def _log_crossed(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address | None, limit: int, seconds: int
) -> None:
    """The one line of a network and window."""
    network = _network_text(ip)
    message = "%s: more than %d failed authentications in a minute; more are 429 for %d seconds"
    fields = {"network": network, "limit": limit, "seconds": seconds}
    logger.warning(message, network, limit, seconds, extra={"fields": fields})
