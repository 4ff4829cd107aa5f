"""Fuzz targets that speak HTTP: requests of any form, and the bytes that they come in."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.parser import RequestParser

from registry_token.connection import BodyTooLarge, Connection
from tests.fuzz.world import PROXY, SERVICE, Answer, World

FORM = "application/x-www-form-urlencoded"
HEADERS = (
    *("X_FORWARDED_FOR", "X_FORWARDED_PROTO", "X_FORWARDED_HOST", "X_REQUEST_ID", "HOST"),
    *("USER_AGENT", "ACCEPT", "COOKIE", "TRANSFER_ENCODING"),
)
PEER = ("127.0.0.1", 1)
MOST_PIECES = 64
CONFIG = Config()


def query(world: World, data: bytes) -> None:
    """GET /token by a good caller with any query."""
    text = data.decode("latin-1")
    bearer = f"Bearer {world.token}"
    answer = world.ask("GET", {"QUERY_STRING": text, "HTTP_AUTHORIZATION": bearer})
    with contextlib.suppress(ValueError):
        _check_grant(world, answer, text)


def form(world: World, data: bytes) -> None:
    """POST /token; the first byte chooses how the body comes, $TOKEN is a good caller token."""
    way, body = data[:1], world.filled(data[1:])
    environ = {"CONTENT_TYPE": FORM, "CONTENT_LENGTH": str(len(body))}
    if way == b"c":
        environ = {"CONTENT_TYPE": FORM, "HTTP_TRANSFER_ENCODING": "chunked"}
    elif way == b"s":
        environ["CONTENT_LENGTH"] = str(len(body) + 10)
    elif way == b"t":
        # gunicorn passes on no NUL.
        environ["CONTENT_TYPE"] = body.partition(b"\n")[0].replace(b"\0", b"").decode("latin-1")
    answer = world.ask("POST", environ, body)
    if way != b"t":
        with contextlib.suppress(ValueError):
            _check_grant(world, answer, body.decode("latin-1"))


def _check_grant(world: World, answer: Answer, encoded: str) -> None:
    parameters = parse_qs(encoded, keep_blank_values=True, max_num_fields=200)
    service = next(filter(None, parameters.get("service", ())), "")
    world.check_grant(answer, service, " ".join(parameters.get("scope", ())))


def authorization(world: World, data: bytes) -> None:
    """GET /token with any Authorization header; $TOKEN and $BASIC are good credentials."""
    header = world.filled(data).decode("latin-1")
    scope = "repository:acme/app:pull"
    text = f"service={SERVICE}&scope={scope}"
    answer = world.ask("GET", {"QUERY_STRING": text, "HTTP_AUTHORIZATION": header})
    world.check_grant(answer, SERVICE, scope)
    assert (answer.status == 200) <= (world.token in header or b"$BASIC" in data)


def headers(world: World, data: bytes) -> None:
    """GET /token through a trusted proxy, a line of the input for each header."""
    lines = data.decode("latin-1").splitlines()
    given = {f"HTTP_{name}": line for name, line in zip(HEADERS, lines, strict=False) if line}
    given |= {"HTTP_AUTHORIZATION": f"Bearer {world.token}", "REMOTE_ADDR": PROXY}
    world.ask("GET", given | {"QUERY_STRING": f"service={SERVICE}"})


def connection(world: World, data: bytes) -> None:
    """Requests as bytes, in pieces of the size of the first byte: read as gunicorn itself would."""
    stream = data[1:]
    size = max(data[0] if data else 1, len(stream) // MOST_PIECES, 1)
    in_pieces = list(_read([stream[i : i + size] for i in range(0, len(stream), size)]))
    assert in_pieces == list(_read([stream]))
    by_gunicorn = list(_read_by_gunicorn(stream))
    assert in_pieces[: len(by_gunicorn)] == by_gunicorn


def _read(pieces: list[bytes]) -> Iterator[tuple[Any, ...]]:
    """The requests that the service's connection reads, and what it refuses in the end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reader = Connection(ours, PEER, PEER, 0.0)
        for piece in pieces:
            theirs.sendall(piece)
            reader.receive()
            try:
                while (request := reader.next_request(CONFIG)) is not None:
                    yield (request.method, request.uri, request.headers, request.body.read())
                    if request.should_close():
                        return
            except (ParseException, BodyTooLarge):
                return


def _read_by_gunicorn(stream: bytes) -> Iterator[tuple[Any, ...]]:
    """The requests that have arrived as a whole."""
    with contextlib.suppress(ParseException, EOFError):
        for request in RequestParser(CONFIG, _Stream(stream), PEER):
            yield (request.method, request.uri, request.headers, request.body.read())


class _Stream:
    """A socket that fails at its end: to gunicorn the end of a stream is also that of a body."""

    def __init__(self, stream: bytes) -> None:
        self.stream = stream

    def recv(self, size: int) -> bytes:
        """Some of the stream. Raises EOFError."""
        if not self.stream:
            raise EOFError
        data, self.stream = self.stream[:size], self.stream[size:]
        return data
