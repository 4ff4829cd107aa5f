"""The one HTTP GET for the Authority's keys, against a real server that answers as it is told.

The limit of time is tested with what waits for it, in test_authority_keys_outage.
"""

from __future__ import annotations

import socket
from http.client import HTTPException

import pytest

from registry_token.fetch import SIZE_LIMIT, fetch
from tests.key_server import KeyServer, content


@pytest.fixture
def server():
    with KeyServer() as server:
        yield server


def test_returns_the_body_and_asks_once(server):
    server.answer = content(b'{"keys": []}')
    assert fetch(f"{server.url}/keys?tenant=a") == b'{"keys": []}'
    assert server.requests == ["/keys?tenant=a"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_follows_no_redirect(status, server):
    server.answer = content(b"", status, Location=f"{server.url}/elsewhere")
    with pytest.raises(ValueError, match=f"answered {status}"):
        fetch(f"{server.url}/keys")
    assert server.requests == ["/keys"]


@pytest.mark.parametrize("status", [201, 204, 206, 304, 400, 401, 404, 500, 503])
def test_takes_no_other_status_than_200(status, server):
    server.answer = content(b"" if status in (204, 304) else b'{"keys": []}', status)
    with pytest.raises(ValueError, match=f"answered {status}"):
        fetch(server.url)


@pytest.mark.parametrize(("length", "accepted"), [(SIZE_LIMIT, True), (SIZE_LIMIT + 1, False)])
def test_takes_256_kib_to_the_byte(length, accepted, server):
    server.answer = content(b" " * length)
    if accepted:
        assert len(fetch(server.url)) == length
    else:
        with pytest.raises(ValueError, match="more than 262144 bytes"):
            fetch(server.url)


@pytest.mark.parametrize(
    "headers",
    [{"Content_Length": "1000"}, {"Content_Length": "1000", "Connection": "close"}],
    ids=["keep-alive", "close"],
)
def test_an_answer_cut_short_is_no_answer(headers, server):
    server.answer = content(b'{"keys": []}', **headers)
    with pytest.raises((OSError, HTTPException, ValueError)):
        fetch(server.url)


def test_stops_reading_at_the_limit(server):
    written = []

    def endless(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while len(written) < 1000:
            handler.wfile.write(b" " * 65536)
            written.append(65536)

    server.answer = endless
    with pytest.raises(ValueError, match="more than 262144 bytes"):
        fetch(server.url)
    assert sum(written) < 30_000_000  # what fits into the sockets' buffers, not 65 MB


@pytest.mark.parametrize(
    "url",
    [
        "http://keys.example.com/jwks",
        "http://10.0.0.1/jwks",
        "http://127.0.0.1.example.com/jwks",
        "http://127.0.0.1@keys.example.com/jwks",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "ftp://127.0.0.1/jwks",
        "//127.0.0.1/jwks",
        "",
    ],
)
def test_connects_to_no_other_place(url):
    with pytest.raises(ValueError, match="must"):
        fetch(url)


def test_uses_no_proxy(server, monkeypatch):
    with KeyServer(content(b"proxy")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("no_proxy", "")
        assert fetch(server.url) == b"{}"
        assert proxy.requests == []


def test_a_refused_connection_is_an_error():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            fetch(f"http://127.0.0.1:{sock.getsockname()[1]}/")
