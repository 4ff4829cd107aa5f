"""Clients below HTTP: bytes as they are, at any pace, and answers read to the letter."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """One HTTP answer; the names of its header fields are in lower case."""

    status: int
    fields: dict[str, str]
    body: bytes


def connect(port: int, timeout: float = 5.0) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=timeout)


def read_answer(reader: IO[bytes], *, bodiless: bool = False) -> RawAnswer | None:
    """The next answer; None at the end of the connection. Raises ValueError when it is none."""
    line = reader.readline()
    if not line:
        return None
    version, _, rest = line.partition(b" ")
    if version not in (b"HTTP/1.1", b"HTTP/1.0") or not line.endswith(b"\r\n"):
        raise ValueError(f"not an answer: {line!r}")
    fields = {}
    for line in iter(reader.readline, b"\r\n"):
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not line.endswith(b"\r\n"):
            raise ValueError(f"not a header field: {line!r}")
        fields[name.lower()] = value.strip()
    status = int(rest[:3])
    length = 0 if bodiless or status < 200 else int(fields["content-length"])
    body = reader.read(length)
    if len(body) < length:
        raise ValueError(f"{len(body)} of {length} bytes")
    return RawAnswer(status, fields, body)


def answers_to(
    port: int, *pieces: bytes, bodiless: bool = False, shut: bool = False, pause: float = 0.0
) -> list[RawAnswer]:
    """Send the pieces, with a pause between two, and read answers until the service closes.

    Raises TimeoutError when it does not, ConnectionResetError when it takes back what it said.
    """
    with connect(port) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(ConnectionError):  # it may have heard enough already
            for number, piece in enumerate(pieces):
                time.sleep(pause if number else 0)
                sock.sendall(piece)
            if shut:
                sock.shutdown(socket.SHUT_WR)
        with sock.makefile("rb") as reader:
            read = iter(lambda: read_answer(reader, bodiless=bodiless), None)
            return [answer for answer in read if answer is not None]


@dataclass
class Manner:
    """How a slow client behaves: what it sends at once, and what then byte by byte."""

    opening: bytes = b""
    drip: bytes = b""
    receive_buffer: int | None = None


@dataclass
class SlowClients:
    """Connections that all behave alike, driven by one thread; `ended` says after how many seconds
    the service closed them.
    """

    port: int
    count: int
    manner: Manner
    pause: float = 0.5
    ended: list[float] = field(default_factory=list)

    def __enter__(self) -> SlowClients:
        self._leaving = threading.Event()
        self._sockets = [self._open() for _ in range(self.count)]
        self.started = time.monotonic()
        self._thread = threading.Thread(target=self._drive, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self._thread.join()
        for sock in self._sockets:
            sock.close()

    def _open(self) -> socket.socket:
        sock = socket.socket()
        if self.manner.receive_buffer is not None:
            # Small segments too, or the kernel takes the whole answer into the sender's buffer.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.manner.receive_buffer)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        sock.connect(("127.0.0.1", self.port))
        sock.settimeout(0.5)
        with contextlib.suppress(TimeoutError):  # who does not read is not read from for ever
            sock.sendall(self.manner.opening)
        sock.setblocking(False)
        return sock

    def _drive(self) -> None:
        drips = {sock: _bytes_of(self.manner.drip) for sock in self._sockets}
        while not self._leaving.wait(self.pause):
            for sock, drip in list(drips.items()):
                if self._is_over(sock, next(drip)):
                    self.ended.append(time.monotonic() - self.started)
                    del drips[sock]

    def _is_over(self, sock: socket.socket, byte: bytes) -> bool:
        """Send the byte; whether the service has closed the connection."""
        try:
            sock.send(byte)
            return self.manner.receive_buffer is None and not sock.recv(65536)
        except BlockingIOError:
            return False
        except OSError:
            return True


def _bytes_of(drip: bytes) -> Iterator[bytes]:
    """Byte after byte without an end; nothing, as often, of nothing."""
    return (drip[at : at + 1] for at in itertools.cycle(range(len(drip) or 1)))
