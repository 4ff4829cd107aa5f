"""A service that fetches the Authority's keys from a server which the test can break."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.faults.load import Load
from tests.faults.processes import eventually
from tests.key_server import KeyServer, publishing
from tests.service import Service, free_port


def prepared(folder: Path, workers: int) -> Service:
    """A service that is not told yet where the keys are."""
    address = f"http://127.0.0.1:{free_port()}/jwks"
    return Service(
        folder, {"REGISTRY_TOKEN_AUTHORITY_JWKS": address, "WEB_CONCURRENCY": str(workers)}
    )


@contextlib.contextmanager
def started(service: Service, server: KeyServer) -> Iterator[None]:
    """The service from a start without keys to its end."""
    service.environment["REGISTRY_TOKEN_AUTHORITY_JWKS"] = f"{server.url}/jwks"
    try:
        service.start()
        yield
    finally:
        service.stop()


@contextlib.contextmanager
def with_keys(service: Service) -> Iterator[KeyServer]:
    """The key server, and the service with its keys in all workers."""
    workers = int(service.environment["WEB_CONCURRENCY"])
    publish = publishing(service.authority.key, service.authority.kid)
    with KeyServer(publish) as server, started(service, server):
        assert eventually(lambda: all_have_answered(service, server, workers), 10)
        yield server


def all_have_answered(service: Service, server: KeyServer, workers: int) -> bool:
    """Ask on many new connections; whether each worker has fetched its keys by now."""
    with Load(service, clients=16, rate=None) as load:
        load.wait(64)
    assert load.failures() == []
    return len(server.requests) == workers
