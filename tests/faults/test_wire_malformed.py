"""Bytes that no good client sends: refused once and for all, and the service goes on."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator

import pytest

from tests.faults.slow_sockets import answers_to, connect
from tests.service import Service

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
POST = (
    b"POST /token HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
# What a smuggler hides behind a request that two servers read differently.
HIDDEN = b"GET /jwks HTTP/1.1\r\nHost: localhost\r\n\r\n"
BODY = b"a=b"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("malformed"), {"WEB_CONCURRENCY": "1"}) as service:
        yield service
        output = service.output.read_text()
        assert "Traceback" not in output
        assert output.count("Booting worker") == 1


def statuses(service: Service, *pieces: bytes, shut: bool = False) -> list[int]:
    """The statuses of all answers on one connection, after which the service still serves."""
    answers = answers_to(service.port, *pieces, shut=shut)
    assert service.request("GET", "/healthz")[0] == 200
    return [answer.status for answer in answers]


AMBIGUOUS = {
    "both lengths": POST + b"Content-Length: 3\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "both, the other way round": POST + CHUNKED + b"Content-Length: 3\r\n\r\n0\r\n\r\n",
    "two Content-Lengths": POST + b"Content-Length: 3\r\nContent-Length: 40\r\n\r\n" + BODY,
    "a list of Content-Lengths": POST + b"Content-Length: 3, 3\r\n\r\n" + BODY,
    "Content-Length +3": POST + b"Content-Length: +3\r\n\r\n" + BODY,
    "Content-Length -3": POST + b"Content-Length: -3\r\n\r\n" + BODY,
    "Content-Length 0x3": POST + b"Content-Length: 0x3\r\n\r\n" + BODY,
    "Content-Length of other digits": POST + b"Content-Length: \xb3\r\n\r\n" + BODY,
    "chunked twice": POST + CHUNKED + CHUNKED + b"\r\n0\r\n\r\n",
    "chunked, then identity": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "gzip, then chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": POST.replace(b"1.1", b"1.0") + CHUNKED + b"\r\n0\r\n\r\n",
    "a blank before the colon": POST + b"Content-Length : 3\r\n\r\n" + BODY,
    "a folded header": GET + b"X-A: b\r\n c\r\n\r\n",
    "a folded first header": b"GET /healthz HTTP/1.1\r\n Host: localhost\r\n\r\n",
    "a header without a colon": GET + b"nonsense\r\n\r\n",
    "a header without a name": GET + b": x\r\n\r\n",
    "two hosts": GET + b"Host: evil.example.com\r\n\r\n",
    "NUL in a value": GET + b"X-A: b\0c\r\n\r\n",
    "NUL in a name": GET + b"X\0A: b\r\n\r\n",
    "NUL in the request line": b"GET /healthz\0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a bare CR in a value": GET + b"X-A: b\rContent-Length: 3\r\n\r\n",
    "a chunk of no size": POST + CHUNKED + b"\r\nxyz\r\na=b\r\n0\r\n\r\n",
    "a chunk of size -1": POST + CHUNKED + b"\r\n-1\r\na=b\r\n0\r\n\r\n",
    "a chunk of size 0x3": POST + CHUNKED + b"\r\n0x3\r\na=b\r\n0\r\n\r\n",
    "a chunk longer than it says": POST + CHUNKED + b"\r\n2\r\na=b\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("sent", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_can_be_read_in_two_ways_is_400_and_the_end(sent, service):
    assert statuses(service, sent + HIDDEN) == [400]


def test_an_unknown_transfer_coding_is_not_implemented(service):
    """RFC 9112, 6.1."""
    sent = POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"
    assert statuses(service, sent + HIDDEN) == [501]


TOO_LARGE = {
    "a header": (GET + b"X-A: " + b"x" * 30_000 + b"\r\n\r\n", 431),
    "a header that does not end": (GET + b"X-A: " + b"x" * 200_000, 431),
    "too many headers": (GET + b"X-A: b\r\n" * 70 + b"\r\n", 431),
    "headers that do not end": (GET + (b"X-A: " + b"x" * 20_000 + b"\r\n") * 100, 431),
    "a request line": (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", 414),
    "a request line that does not end": (b"GET /" + b"x" * 9000, 414),
    "a body": (POST + b"Content-Length: 999999999\r\n\r\n" + b"x" * 200_000, 413),
    "a body that may just pass": (POST + b"Content-Length: 999999\r\n\r\n" + b"x" * 200_000, 413),
    "a chunked body": (POST + CHUNKED + b"\r\n" + (b"3e8\r\n" + b"x" * 1000 + b"\r\n") * 1200, 413),
    "a chunk": (POST + CHUNKED + b"\r\nffffffffffffffff\r\n" + b"x" * 1_200_000, 413),
    "chunks of one byte": (POST + CHUNKED + b"\r\n" + b"1\r\nx\r\n" * 200_000, 413),
    "a trailer": (POST + CHUNKED + b"\r\n0\r\nX-A: " + b"x" * 1_200_000, 413),
}


@pytest.mark.parametrize(("sent", "status"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_what_is_too_large_is_refused_before_its_end(sent, status, service):
    assert statuses(service, sent) == [status]


UNFINISHED = {
    "nothing": b"",
    "a request line": b"GET /healthz HTTP/1.1\r\n",
    "a header": GET,
    "a body": POST + b"Content-Length: 100\r\n\r\ngrant_type=password",
    "a chunk": POST + CHUNKED + b"\r\n64\r\ngrant_type=password",
    "a chunk's size": POST + CHUNKED + b"\r\n6",
    "the last chunk": POST + CHUNKED + b"\r\n3\r\na=b\r\n0\r\n",
}


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
def test_what_ends_too_early_is_400_or_nothing(sent, service):
    assert statuses(service, sent, shut=True) in ([400], [])


ODD = {
    "HTTP/0.9": b"GET /healthz\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/9.9": b"GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "no version": b"GET /healthz XTTP/1.1\r\nHost: localhost\r\n\r\n",
    "TLS": bytes.fromhex("16030100c8010000c40303") + bytes(range(190)) + b"\r\n\r\n",
    "blank lines": b"\r\n" * 50 + GET + b"Connection: close\r\n\r\n",
    "line feeds alone": b"GET /healthz HTTP/1.1\nHost: localhost\nConnection: close\n\n",
    "no host": b"GET /token HTTP/1.1\r\nConnection: close\r\n\r\n",
    "a method in lower case": b"get /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "OPTIONS *": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "CONNECT": b"CONNECT x:80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "TRACE": b"TRACE /token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "a whole URL": b"GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n"
    b"Connection: close\r\n\r\n",
    "a broken URL": b"GET //[::1/%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "bytes in the URL": b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "bytes in a header": GET + b"User-Agent: \xff\xc3\r\nConnection: close\r\n\r\n",
    "an expectation": GET + b"Expect: the impossible\r\nConnection: close\r\n\r\n",
    "an upgrade": GET + b"Connection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n",
}


@pytest.mark.parametrize("sent", ODD.values(), ids=ODD)
def test_what_is_odd_is_answered_or_refused(sent, service):
    assert [status // 100 for status in statuses(service, sent, shut=True)] in ([2], [4], [])


def test_rubbish_is_refused(service):
    generator = random.Random(1)
    for length in [1, 2, 3, 10, 100, 1000, 10_000] * 10:
        rubbish = generator.randbytes(length)
        answers = answers_to(service.port, rubbish, shut=True)
        assert [answer.status // 100 for answer in answers] in ([], [4]), rubbish
    assert statuses(service, GET + b"Connection: close\r\n\r\n") == [200]


def test_clients_that_hang_up_do_not_matter(service):
    for sent in [b"", GET, GET + b"\r\n", *UNFINISHED.values()] * 5:
        with connect(service.port) as sock:
            # No farewell: the kernel sends a reset.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.sendall(sent)
    assert statuses(service, GET + b"Connection: close\r\n\r\n") == [200]
