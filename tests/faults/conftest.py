"""The parts of the fault tests: a PostgreSQL that may be broken, and services on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.postgres import Postgres
from tests.service import Service


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    with Postgres(max_connections=80) as server:
        yield server


@pytest.fixture
def postgres(server: Postgres) -> Iterator[Postgres]:
    """A server to break; the next test finds it mended."""
    yield server
    if server.is_running():
        server.thaw()
    else:
        server.start()


@pytest.fixture(scope="session")
def on_postgres(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service on that server; it must mend itself for the next test."""
    folder = tmp_path_factory.mktemp("on-postgres")
    with Service(folder, {"REGISTRY_TOKEN_DATABASE_URL": server.url}) as service:
        yield service
