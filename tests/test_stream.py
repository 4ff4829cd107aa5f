"""Answers that are made while they are sent: a file of some megabytes, and readers of all kinds."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import pytest

from tests.conftest import SERVICE
from tests.service import Service

FILE = "/static/swagger-ui/swagger-ui-bundle.js"
THREADS = 2 * 8  # of the two workers


@pytest.fixture(scope="module")
def serving(tmp_path_factory):
    folder: Path = tmp_path_factory.mktemp("stream")
    service = Service(folder)
    service.manage("collectstatic", "--no-input", "--verbosity", "0")
    with service:
        yield service


def asking(service, path, size=4096):
    """A connection with so small a buffer, on which the request has been sent."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    sock.settimeout(20)
    sock.connect(("127.0.0.1", service.port))
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return sock


def read(sock, size, pause):
    """At most so many bytes, a pause between the reads."""
    found = bytearray()
    while len(found) < size and (part := sock.recv(64 * 1024)):
        found += part
        time.sleep(pause)
    return bytes(found)


def test_a_slow_reader_gets_all_of_it(serving):
    _, _, whole = serving.request("GET", FILE)
    assert len(whole) > 1_000_000
    with asking(serving, FILE, size=64 * 1024) as sock:
        head = b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(1)
        assert read(sock, len(whole), 0.005) == whole


def test_who_does_not_read_holds_no_thread(serving):
    waiting = [asking(serving, FILE) for _ in range(2 * THREADS)]
    try:
        time.sleep(0.5)
        token = serving.authority.token("community")
        path = f"/token?service={SERVICE}"
        begun = time.monotonic()
        status, _, _ = serving.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        assert status == 200
        assert time.monotonic() - begun < 2
    finally:
        for sock in waiting:
            sock.close()


def test_many_readers_at_once_get_the_same(serving):
    _, _, whole = serving.request("GET", FILE)
    found = []
    readers = [
        threading.Thread(target=lambda: found.append(serving.request("GET", FILE)[2] == whole))
        for _ in range(24)
    ]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    assert found == [True] * 24


def test_a_connection_is_kept_after_a_stream(serving):
    with asking(serving, FILE) as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert read(sock, 10_000_000, 0).endswith(b'{"status": "ok"}')
