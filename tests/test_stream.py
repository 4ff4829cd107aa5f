"""Answers that are made while they are sent: a file of some megabytes, and readers of all kinds."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from registry_token.config_values import BASE_DIR
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


_SLOW = """
import pathlib, time
class Body:
    def __iter__(self):
        yield b"begun "
        while True:
            time.sleep(0.05)
            yield b""
    def close(self):
        pathlib.Path("closed").touch()
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return Body()
"""


@pytest.fixture
def slow(tmp_path):
    """A port at which an application looks for more than it finds."""
    (tmp_path / "slow.py").write_text(_SLOW)
    worker = ["--worker-class", "registry_token.worker.BufferingWorker", "--threads", "2"]
    worker += ["--graceful-timeout", "1"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", *worker, f"--bind=127.0.0.1:{port}", "slow"]
    environment = os.environ | {"PYTHONPATH": f"{BASE_DIR}:{tmp_path}"}
    with subprocess.Popen(command, cwd=tmp_path, env=environment) as process:
        eventually(lambda: _is_open(port))
        yield port
        process.terminate()


def _is_open(port):
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def eventually(condition):
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_what_is_found_is_sent_before_there_is_much_and_who_left_is_noticed(slow, tmp_path):
    with socket.create_connection(("127.0.0.1", slow), timeout=10) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        found = b""
        while b"begun" not in found:
            found += sock.recv(4096)
        assert not (tmp_path / "closed").exists()
    eventually((tmp_path / "closed").exists)
