"""Exports that are not read take no thread, and no place for ever."""

from __future__ import annotations

import time

import pytest

from registry_token.stream import PIECE
from registry_token.worker import STREAM_RATE, STREAM_TIME_LIMIT
from tests.exported_service import EXPORT, ExportedService
from tests.faults.slow_manners import assert_serves_promptly

# A piece, and what was made after it before the client was seen to be behind.
LIMIT = STREAM_TIME_LIMIT + 4 * PIECE / STREAM_RATE


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    with ExportedService(tmp_path_factory.mktemp("slow"), {"WEB_CONCURRENCY": "1"}) as service:
        yield service


def ask(service):
    return service.request("GET", EXPORT, headers={"Authorization": service.auditor})[0]


def test_a_reader_that_stops_is_cut_off_and_leaves_its_place(filled):
    stopped = [filled.export(size=4096) for _ in range(2)]
    try:
        assert [sock.recv(12) for sock in stopped] == [b"HTTP/1.1 200"] * 2
        assert_serves_promptly(filled)
        assert ask(filled) == 503
        until = time.monotonic() + LIMIT
        while (status := ask(filled)) == 503:
            assert time.monotonic() < until
            time.sleep(1)
        assert status == 200
    finally:
        for sock in stopped:
            sock.close()
    assert filled.ends().count("broken off") == 2


def test_a_slow_reader_gets_all_of_it(filled):
    _, _, whole = filled.request("GET", EXPORT, headers={"Authorization": filled.auditor})
    found = bytearray()
    with filled.export(size=256 * 1024) as sock:
        while not found.endswith(b"\r\n0\r\n\r\n"):
            found += sock.recv(64 * 1024)
            time.sleep(0.02)
    assert len(found) > len(whole)
