"""Bytes that no client should send: a proper answer or a clean close, and nothing else happens."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from tests.faults.slow_sockets import RawAnswer, answers_to
from tests.service import SERVICE, Service

SCOPES = [f"repository:stella-ops/public/{name}:pull" for name in ("first", "second", "third")]
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
KEPT = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = (
    b"POST /token HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("robust"), {"WEB_CONCURRENCY": "1"}) as service:
        yield service
        assert "Traceback" not in service.output.read_text()
        assert service.output.read_text().count("Booting worker") == 1


def request(line: str, *fields: str, body: bytes = b"") -> bytes:
    return "\r\n".join([line, *fields, "", ""]).encode("latin-1") + body


def get(service: Service, scope: str, *fields: str) -> bytes:
    bearer = f"Authorization: Bearer {service.authority.token('community')}"
    line = f"GET /token?service={SERVICE}&scope={scope} HTTP/1.1"
    return request(line, "Host: localhost", bearer, *fields)


def form(service: Service, scope: str) -> bytes:
    token = service.authority.token("community")
    fields = {"grant_type": "refresh_token", "refresh_token": token, "service": SERVICE}
    return urlencode(fields | {"scope": scope}).encode()


def chunk(body: bytes, extension: bytes = b"") -> bytes:
    return b"%x%s\r\n%s\r\n" % (len(body), extension, body)


def scopes_of(answers: list[RawAnswer]) -> list[str]:
    return [scope for answer in answers for scope in SCOPES if scope.encode() in answer.body]


def statuses(answers: list[RawAnswer]) -> list[int]:
    return [answer.status for answer in answers]


def test_pipelined_requests_are_answered_in_order(service):
    body = form(service, SCOPES[1])
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    pipeline = get(service, SCOPES[0]) + POST + length + body
    pipeline += get(service, SCOPES[2], "Connection: close")
    answers = answers_to(service.port, pipeline)
    assert statuses(answers) == [200, 200, 200]
    assert scopes_of(answers) == SCOPES


def test_what_follows_the_last_request_is_not_answered(service):
    answers = answers_to(service.port, HEALTH + KEPT)
    assert statuses(answers) == [200]


def test_a_header_may_come_in_any_two_pieces(service):
    for cut in range(1, len(HEALTH)):
        pieces = HEALTH[:cut], HEALTH[cut:]
        assert statuses(answers_to(service.port, *pieces, pause=0.002)) == [200], pieces


def test_a_chunked_form_may_come_in_any_two_pieces(service):
    body = chunk(b"grant_type=password&") + chunk(b"service=x") + b"0\r\n\r\n"
    whole = POST + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + body
    for cut in range(len(whole) - len(body) - 5, len(whole)):
        pieces = whole[:cut], whole[cut:]
        assert statuses(answers_to(service.port, *pieces, pause=0.002)) == [401], pieces


def test_a_request_may_come_byte_by_byte(service):
    whole = get(service, SCOPES[0], "Connection: close")
    answers = answers_to(service.port, *(bytes([byte]) for byte in whole), pause=0.0005)
    assert scopes_of(answers) == [SCOPES[0]]


def test_a_chunked_form_may_have_extensions_and_trailers(service):
    body = form(service, SCOPES[0])
    sent = chunk(body[:50], b";name=value") + chunk(body[50:]) + b"0\r\nX-Trailer: x\r\n\r\n"
    whole = POST + b"Transfer-Encoding: chunked\r\n\r\n" + sent
    answers = answers_to(service.port, whole + HEALTH)
    assert statuses(answers) == [200, 200]
    assert scopes_of(answers) == [SCOPES[0]]


def test_a_client_that_expects_100_is_told_to_go_on(service):
    body = form(service, SCOPES[0])
    head = POST + b"Expect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    answers = answers_to(service.port, head % len(body), body, pause=0.2)
    assert statuses(answers) == [100, 200]
    assert scopes_of(answers) == [SCOPES[0]]


def test_http_1_0_closes_unless_asked_to_keep(service):
    closing = b"GET /healthz HTTP/1.0\r\n\r\n"
    keeping = b"GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    assert statuses(answers_to(service.port, closing + closing)) == [200]
    answers = answers_to(service.port, keeping + closing)
    assert statuses(answers) == [200, 200]
    assert answers[0].fields["connection"].lower() == "keep-alive"


def test_head_is_answered_without_a_body(service):
    for path, status in ("/healthz", 200), ("/jwks", 200), ("/token", 405), ("/nothing", 404):
        head = f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        (answer,) = answers_to(service.port, head, bodiless=True)
        assert answer.status == status
        assert int(answer.fields["content-length"]) > 0
