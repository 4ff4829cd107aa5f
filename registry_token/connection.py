"""One client's connection: what has arrived of a request, and what is still to be sent.

Nothing here waits. A request is handed on only when all of it has arrived, so that a client that
sends it drop by drop costs memory and no thread. gunicorn's parser (RFC 9112) reads it; this module
only finds out where a body ends.
"""

from __future__ import annotations

import contextlib
import io
import socket
from typing import Any

from gunicorn import util
from gunicorn.config import Config
from gunicorn.http.body import ChunkedReader, LengthReader
from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser

from registry_token.stream import Stream

# Bytes.
RECEIVE_SIZE = 64 * 1024
MAX_HEAD = 128 * 1024
MAX_BODY = 128 * 1024  # a form of /token with the framing of its chunks
MAX_PAGE_BODY = 4 * 1024 * 1024  # larger than any form of the admin

# Where pages for people are. Nothing of Django is imported here: the process that forks the workers
# loads this module, and keeps what it has loaded when it reloads them.
PAGES = ("/admin/", "/static/")

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class BodyTooLarge(Exception):
    """The body is longer than its path allows."""


class _NothingMore(Exception):
    """The parser wants more than has arrived."""


class _Arrived:
    """The socket of which gunicorn's parser believes to read.

    It gives no more than it is asked for: the parser copies what is left with each chunk of a body.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def recv(self, size: int) -> bytes:
        """The next piece of what has arrived. Raises _NothingMore."""
        piece = self.data[self.position : self.position + size]
        if not piece:
            raise _NothingMore
        self.position += len(piece)
        return piece


class Connection:
    """A client's socket with its buffers. `deadline` on the clock of time.monotonic()."""

    def __init__(self, sock: socket.socket, peer: Any, server: Any, deadline: float) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.fd = sock.fileno()
        self.peer = peer
        self.server = server
        self.deadline = deadline
        self.unsent = b""
        self.closing = False
        self.stream: Stream | None = None
        self._buffer = bytearray()
        self._half_closed = False
        self._begin_request()

    def _begin_request(self) -> None:
        self._head: Request | None = None
        self._arrived = _Arrived(b"")
        self._searched = self._parsed = 0  # bytes: for the end of the head; by the parser
        self._body_begins = self._chunk_begins = 0
        self._continued = False

    @property
    def address(self) -> str:
        """The client's, for people; a unix socket's has none."""
        return self.peer[0] if isinstance(self.peer, tuple) else str(self.peer or "a unix socket")

    @property
    def size(self) -> int:
        """What it holds of a request and of answers: bytes."""
        return len(self._buffer) + len(self.unsent)

    @property
    def is_idle(self) -> bool:
        """Whether nothing of a request has arrived and all of the last answer has been sent."""
        return not self._buffer and not self.unsent

    def receive(self) -> bool:
        """Take what has arrived; False when the client has closed. Raises OSError."""
        try:
            data = self.sock.recv(RECEIVE_SIZE)
        except BlockingIOError:
            return True
        if not self.closing:
            self._buffer += data
        return bool(data)

    def next_request(self, cfg: Config) -> Request | None:
        """The next request, its body an io.BytesIO, once all of it has arrived; else None.

        Raises gunicorn's parse errors, BodyTooLarge, OSError.
        """
        if self._head is None and self._is_head_worth_parsing():
            self._parse_head(cfg)
        request = self._head
        if request is None or not self._is_body_here(request):
            return None
        self._arrived.data = bytes(self._buffer)
        try:
            body = request.body.read()
        except _NothingMore:  # malformed in a way that only the parser has noticed
            raise BodyTooLarge from None
        unread = request.unreader.take_buffered()
        del self._buffer[: self._arrived.position - len(unread)]
        self._begin_request()
        request.body = io.BytesIO(body)
        request._expected_100_continue = False  # done, where it was due
        return request

    def _is_head_worth_parsing(self) -> bool:
        """Whether it may be complete, or has grown much: the parser begins at its start each time,
        and a client could have it do so for each byte.
        """
        size = len(self._buffer)
        ends = self._buffer.find(b"\r\n\r\n", max(0, self._searched - 3)) >= 0
        self._searched = size
        return ends or size > MAX_HEAD or size > 2 * self._parsed

    def _parse_head(self, cfg: Config) -> None:
        """Read the head, if all of it has arrived. Raises gunicorn's parse errors, if not."""
        self._arrived = _Arrived(bytes(self._buffer))
        parser = RequestParser(cfg, self._arrived, self.peer)
        try:
            self._head = next(parser)
        except _NothingMore:
            if len(self._buffer) > MAX_HEAD:
                raise LimitRequestHeaders("the head is too long") from None
            self._arrived.data, self._parsed = b"", len(self._buffer)
            return
        self._body_begins = self._arrived.position - len(parser.unreader.buf.getvalue())
        self._chunk_begins = self._body_begins
        self._arrived.data = b""

    def _is_body_here(self, request: Request) -> bool:
        """Whether the whole body has arrived. Raises BodyTooLarge, OSError."""
        arrived = len(self._buffer) - self._body_begins
        reader = request.body.reader
        limit = MAX_BODY
        if isinstance(reader, ChunkedReader):  # by clients of /token; no browser sends them
            size, is_here = arrived, self._is_last_chunk_here(limit)
        else:
            size = reader.length if isinstance(reader, LengthReader) else 0
            is_here = arrived >= size
            limit = MAX_PAGE_BODY if request.path.startswith(PAGES) else MAX_BODY
        if size > limit:
            raise BodyTooLarge
        if not is_here and request._expected_100_continue and not self._continued:
            self._continued = True
            self.send(_CONTINUE)
        return is_here

    def _is_last_chunk_here(self, limit: int) -> bool:
        """RFC 9112, 7.1. True for what is malformed, too: the parser then says what is wrong.

        Raises BodyTooLarge.
        """
        while (line_ends := self._buffer.find(b"\r\n", self._chunk_begins)) >= 0:
            line = bytes(self._buffer[self._chunk_begins : line_ends])
            try:
                size = int(line.partition(b";")[0], 16)
            except ValueError:
                return True
            if size <= 0:
                return size < 0 or self._buffer.find(b"\r\n\r\n", line_ends) >= 0
            if size > limit:
                raise BodyTooLarge
            chunk_ends = line_ends + 2 + size + 2
            if chunk_ends > len(self._buffer):
                return False
            self._chunk_begins = chunk_ends
        return len(self._buffer) - self._chunk_begins > MAX_HEAD

    def forget(self) -> None:
        """Drop what has arrived."""
        self._buffer.clear()
        self._begin_request()

    def send(self, data: bytes) -> None:
        """Send what the client takes at once, keep the rest in `unsent`. Raises OSError."""
        if not self.unsent:
            with contextlib.suppress(BlockingIOError):
                data = data[self.sock.send(data) :]
        self.unsent += data

    def flush(self) -> None:
        """Go on sending. Raises OSError."""
        unsent, self.unsent = self.unsent, b""
        self.send(unsent)

    @property
    def is_abandoned(self) -> bool:
        """Whether the client has closed; only sending would tell, otherwise. Raises OSError."""
        try:
            return not self.sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False

    def half_close(self) -> None:
        """Close our half: closing both could take the answer from the client (RFC 9112, 9.6)."""
        if not self._half_closed:
            self._half_closed = True
            self.sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close at once."""
        util.close(self.sock)


class Answer:
    """Collects what gunicorn writes to a socket, to send it in one piece, or in large ones."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._parts: list[bytes] = []
        self.size = 0
        """What has been collected: bytes."""
        self.has_begun = False
        """Whether the client may have seen a part of it."""

    @property
    def is_behind(self) -> bool:
        """Whether the client has still to take some of what was sent."""
        return bool(self._connection.unsent)

    @property
    def is_abandoned(self) -> bool:
        """Whether nobody waits for it any more. Raises OSError."""
        return self._connection.is_abandoned

    def sendall(self, data: bytes) -> None:
        """Keep a part."""
        self._parts.append(data)
        self.size += len(data)

    def send(self, _: bytes = b"") -> None:
        """Send what has been collected. Raises OSError."""
        data = b"".join(self._parts)
        self._parts, self.size = [], 0
        self.has_begun = True
        self._connection.send(data)

    def gettimeout(self) -> float:
        """gunicorn asks for it before it writes an error: nothing waits here."""
        return 0.0
