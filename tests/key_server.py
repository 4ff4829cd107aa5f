"""An Authority's web server for tests: it counts its requests and answers each as it is told."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from registry_token.authority_keys import FetchedKeys
from tests.authority import PrivateKey, jwks_bytes, public_jwk

Answer = Callable[[BaseHTTPRequestHandler], None]


def content(body: bytes, status: int = 200, **headers: str) -> Answer:
    """A plain answer; underscores in header names stand for hyphens."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


class KeyServer:
    """An HTTP server on 127.0.0.1 in threads of its own; `requests` holds the paths asked for.

    What drips starts with the `beginnings` of its path; `hung_up` holds after how many seconds the
    client had enough.
    """

    def __init__(self, answer: Answer | None = None) -> None:
        self.answer = answer or content(b"{}")
        self.requests: list[str] = []
        self.beginnings: dict[str, bytes] = {}
        self.hung_up: dict[str, float] = {}
        self.stopping = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.requests.append(self.path)
                self.close_connection = True
                with contextlib.suppress(OSError):  # the client may hang up whenever it likes
                    outer.answer(self)

            do_POST = do_GET

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def hang(self, handler: BaseHTTPRequestHandler) -> None:
        """Say nothing until the test is over."""
        self.stopping.wait(20)

    def drip(self, handler: BaseHTTPRequestHandler) -> None:
        """Byte after byte, for longer than anybody should wait; notes when the client hangs up."""
        started = time.monotonic()
        handler.wfile.write(self.beginnings.get(handler.path, b""))
        with contextlib.suppress(OSError):
            while not self.stopping.wait(0.1) and time.monotonic() - started < 10:
                handler.wfile.write(b" ")
        self.hung_up[handler.path] = time.monotonic() - started


def publishing(key: PrivateKey, *kids: str) -> Answer:
    """The JWK set with this key under each of the ids."""
    return content(jwks_bytes(*(public_jwk(key, kid) for kid in kids)))


def knows(source: FetchedKeys, kid: str) -> bool:
    """Whether the source finds an RS256 key of that id."""
    return source.find(kid, "RS256") is not None
