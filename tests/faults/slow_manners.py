"""The manners of slow clients, and what normal ones must not notice of them."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from tests.faults.load import SCOPE, Load, check_rows
from tests.faults.slow_sockets import Manner, answers_to
from tests.service import SERVICE, Service

TRIES = 20

LINE = f"GET /token?service={SERVICE} HTTP/1.1\r\n".encode()
FORM = b"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded"
LONG_SCOPES = " ".join(f"repository:{number:04}/{'x' * 270}:pull" for number in range(64))

MANNERS = {
    "nothing at all": Manner(),
    "a request line": Manner(drip=LINE),
    "a header": Manner(LINE + b"Host: localhost\r\n", b"X-Slow: slow\r\n"),
    "a body": Manner(FORM + b"\r\nContent-Length: 9999\r\n\r\n", b"grant_type=password&"),
    "chunks": Manner(FORM + b"\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "a chunk's size": Manner(FORM + b"\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "Expect and no body": Manner(
        FORM + b"\r\nContent-Length: 9999\r\nExpect: 100-continue\r\n\r\n"
    ),
    "a second request": Manner(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", LINE),
}


def unread(service: Service) -> Manner:
    """Ask for a long answer and do not read it: a refusal that repeats all that was asked for."""
    fields = {
        "grant_type": "password",
        "password": service.authority.token("no-such-plan"),
        "service": SERVICE,
        "scope": LONG_SCOPES,
    }
    body = urlencode(fields).encode()
    asked = FORM + f"\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    return Manner(asked * 6, receive_buffer=2048)


def tries(service: Service) -> list[tuple[int, float]]:
    """Status and seconds of one normal request after the other, each on a connection of its own.

    Ends with the first that takes longer than a second.
    """
    path = f"/token?service={SERVICE}&scope={SCOPE}"
    token = service.authority.token("community")
    fields = f"Host: localhost\r\nAuthorization: Bearer {token}\r\nConnection: close"
    request = f"GET {path} HTTP/1.1\r\n{fields}\r\n\r\n".encode()
    tried: list[tuple[int, float]] = []
    while len(tried) < TRIES and not slow_ones(tried):
        started = time.monotonic()
        try:
            status = answers_to(service.port, request)[0].status
        except OSError:
            status = 0
        tried.append((status, time.monotonic() - started))
    return tried


def slow_ones(tried: list[tuple[int, float]]) -> list[tuple[int, float]]:
    return [(status, seconds) for status, seconds in tried if status != 200 or seconds > 1]


def assert_serves_promptly(service: Service) -> None:
    """New and lasting connections get every token within a second."""
    with Load(service, clients=2, rate=20, timeout=5) as load:
        assert slow_ones(tries(service)) == []
        load.wait(TRIES)
    assert load.failures() == []
    assert slow_ones([(answer.status, answer.latency) for answer in load.answers]) == []
    assert check_rows(load) == 0
