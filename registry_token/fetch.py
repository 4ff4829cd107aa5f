"""One bounded HTTP request: for the Authority's keys, discovery document and ID tokens.

No redirects, no proxies, limits on time and size; https, or http to a loopback address.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from registry_token.config_values import fetchable_url

TIME_LIMIT = 5.0  # seconds, for everything together
SIZE_LIMIT = 256 * 1024  # bytes


class UnexpectedStatus(ValueError):
    """An answer that is not 200."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(f"{url} answered {status}")
        self.status = status


def fetch(
    url: str, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """The body of a 200 answer to a GET, or with `form` to a POST.

    Raises OSError, HTTPException or ValueError with the reason.
    """
    parts = urlsplit(fetchable_url(url))
    connection = _connection(parts.scheme, parts.hostname or "", parts.port)
    # Socket timeouts start anew with each byte that drips in; this ends the whole exchange.
    watchdog = _Watchdog(connection)
    watchdog.start()
    try:
        connection.connect()
        watchdog.watch()
        target = f"{parts.path or '/'}{'?' * bool(parts.query)}{parts.query}"
        _send(connection, target, form, headers or {})
        return _body(connection, url)
    finally:
        watchdog.cancel()
        connection.close()
        if watchdog.late:  # a body that only the end of the connection ends would look whole
            raise TimeoutError(f"{url} took longer than {TIME_LIMIT:.0f} seconds")


class _Watchdog(threading.Timer):
    """Shuts the connection's socket down when the time is over, and says so by `late`."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        super().__init__(TIME_LIMIT, self._shut_down)
        self.daemon = True
        self.late = False
        self._connection = connection
        self._socket: socket.socket | None = None

    def watch(self) -> None:
        """Keep the socket: at `Connection: close` the connection lets go of it."""
        self._socket = self._connection.sock
        if self.late:  # the time was over before there was a socket to shut down
            raise TimeoutError

    def _shut_down(self) -> None:
        self.late = True
        # Before there is a connection, it is the one that is shaking hands.
        sock = self._socket or self._connection.sock
        if sock is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


def _send(
    connection: http.client.HTTPConnection,
    target: str,
    form: Mapping[str, str] | None,
    headers: Mapping[str, str],
) -> None:
    accepting = {"Accept": "application/json", **headers}
    if form is None:
        connection.request("GET", target, headers=accepting)
    else:
        accepting["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("POST", target, urlencode(form), accepting)


def _body(connection: http.client.HTTPConnection, url: str) -> bytes:
    response = connection.getresponse()
    if response.status != 200:
        raise UnexpectedStatus(url, response.status)
    body = response.read(SIZE_LIMIT + 1)
    if len(body) > SIZE_LIMIT:
        raise ValueError(f"{url} answered more than {SIZE_LIMIT} bytes")
    if response.length:
        raise ValueError(f"{url} answered {response.length} bytes less than announced")
    return body


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port or 443, timeout=TIME_LIMIT, context=context)
    return http.client.HTTPConnection(host, port or 80, timeout=TIME_LIMIT)
