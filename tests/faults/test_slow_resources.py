"""What slow and greedy clients can take of a worker: connections, memory, processor time."""

from __future__ import annotations

import contextlib
import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.processes import workers
from tests.faults.slow_manners import FORM, MANNERS, assert_serves_promptly
from tests.faults.slow_sockets import Manner, SlowClients, answers_to, connect
from tests.service import Service

THREADS = 8
MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("greedy"), {"WEB_CONCURRENCY": "1"}) as service:
        yield service


def open_sockets(pid: int) -> int:
    found = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed since
            found += str(link.readlink()).startswith("socket:")
    return found


def memory(pid: int) -> int:
    """The process's resident bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def processor_seconds(pids: list[int]) -> float:
    """The processor time that processes have used."""
    texts = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(text[11]) + int(text[12]) for text in texts) / os.sysconf("SC_CLK_TCK")


def test_a_worker_holds_no_more_connections_than_it_is_told(tmp_path):
    options = {"GUNICORN_CMD_ARGS": "--worker-connections 50"}
    with Service(tmp_path, options) as service:
        before = {pid: open_sockets(pid) for pid in workers(service)}
        with SlowClients(service.port, 200, MANNERS["a header"]):
            time.sleep(1.5)
            more = [open_sockets(pid) - count for pid, count in before.items()]
            # Threads may accept one each at the same moment.
            assert max(more) <= 50 + THREADS
        assert_serves_promptly(service)


def test_a_worker_outlives_the_want_of_file_descriptors(tmp_path):
    with Service(tmp_path) as service:
        pids = workers(service)
        for pid in pids:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (60, 60))
        with SlowClients(service.port, 200, MANNERS["a header"]):
            time.sleep(1.5)
            before = processor_seconds(pids)
            time.sleep(1)
            assert processor_seconds(pids) - before < 0.5
        assert_serves_promptly(service)
        assert workers(service) == pids
        assert "Traceback" not in service.output.read_text()


GREEDY = {
    "head": Manner(b"GET /healthz HTTP/1.1\r\n" + (b"X-A: " + b"x" * 9000 + b"\r\n") * 13),
    "body": Manner(FORM + b"\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 2_900_000),
    "chunks": Manner(
        FORM
        + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
        + (b"3e8\r\n" + b"x" * 1000 + b"\r\n") * 2900
    ),
}


@pytest.mark.parametrize("manner", GREEDY.values(), ids=GREEDY)
def test_requests_that_never_end_cost_little_memory(manner, service):
    """A form has 64 KiB, a head 128 at most: 60 clients can have a worker keep 12 MiB."""
    (pid,) = workers(service)
    before = memory(pid)
    with SlowClients(service.port, 60, manner):
        time.sleep(1.5)
        assert memory(pid) - before < 30 * MEBIBYTE
        assert_serves_promptly(service)


@pytest.mark.parametrize(("path", "chunks"), [("/token", 20_000), ("/admin/login/", 100_000)])
def test_a_form_in_tiny_chunks_costs_little_processor_time(path, chunks, service):
    pids = workers(service)
    before = processor_seconds(pids)
    head = FORM.replace(b"/token", path.encode())
    head += b"\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    (answer,) = answers_to(service.port, head + b"1\r\nx\r\n" * chunks + b"0\r\n\r\n")
    assert 400 <= answer.status < 500
    assert processor_seconds(pids) - before < chunks / 40_000


def test_a_head_in_tiny_pieces_costs_little_processor_time(service):
    pids = workers(service)
    before = processor_seconds(pids)
    head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    head += (b"X-A: " + b"x" * 1000 + b"\r\n") * 30 + b"\r\n"
    pieces = (head[at : at + 10] for at in range(0, len(head), 10))
    (answer,) = answers_to(service.port, *pieces, pause=0.0002)
    assert answer.status == 200
    assert processor_seconds(pids) - before < 1.5


def test_a_large_head_that_grows_by_bytes_costs_little_processor_time(service):
    """Each byte that arrives could have all of the head read again."""
    pids = workers(service)
    head = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    head += (b"X-A: " + b"x" * 20_000 + b"\r\n") * 5
    slowly = (b"x" for _ in range(600))
    before = processor_seconds(pids)
    (answer,) = answers_to(service.port, head + b"X-B: ", *slowly, b"\r\n\r\n", pause=0.002)
    assert answer.status == 200
    assert processor_seconds(pids) - before < 0.8


LAST_WORDS = {"a refusal": b"nonsense\r\n\r\n", "an answer": b"GET /healthz HTTP/1.0\r\n\r\n"}


@pytest.mark.parametrize("sent", LAST_WORDS.values(), ids=LAST_WORDS)
def test_a_client_cannot_hold_a_connection_that_has_had_its_last_answer(sent, service):
    with connect(service.port) as sock:
        sock.sendall(sent)
        began = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < began + 12:
                time.sleep(0.2)
                sock.sendall(b"x")
        assert time.monotonic() - began < 8


def test_large_requests_that_wait_make_room_for_others(service):
    """400 clients each keep the most that a head may have; a form that is as large gets through."""
    manner = Manner(opening=b"POST /token HTTP/1.1\r\n" + (b"X: " + b"x" * 24_000 + b"\r\n") * 5)
    (pid,) = workers(service)
    before = memory(pid)
    with SlowClients(service.port, 400, manner):
        time.sleep(3)
        assert memory(pid) - before < 120 * MEBIBYTE
        form = b"username=root&password=" + b"x" * 100_000
        status, _, _ = service.request(
            "POST", "/admin/login/", form, {"Content-Type": "text/plain"}
        )
        assert status == 403  # by Django: no CSRF token
        assert_serves_promptly(service)
