"""The database fails: no token without its row, a quick 503, recovery without a restart."""

from __future__ import annotations

import json
import os
import sqlite3
import time

import psycopg
import pytest

from tests.service import SERVICE, Service

PATH = f"/token?service={SERVICE}&scope=repository:stella-ops/public/app:pull"

on_sqlite = pytest.mark.skipif("TEST_DATABASE_URL" in os.environ, reason="a fault of SQLite")
on_postgres = pytest.mark.skipif(
    "TEST_DATABASE_URL" not in os.environ, reason="a fault of PostgreSQL: make test-postgres"
)


def ask(service: Service) -> tuple[int, dict[str, str], dict[str, object]]:
    bearer = {"Authorization": f"Bearer {service.authority.token('community')}"}
    status, fields, body = service.request("GET", PATH, headers=bearer)
    return status, fields, json.loads(body)


@on_sqlite
def test_a_locked_database_is_503_and_recovers(service):
    """How quickly is measured by tests/faults/test_sqlite_locked.py, beside which nothing runs."""
    database = service.environment["REGISTRY_TOKEN_DATABASE_URL"].removeprefix("sqlite:///")
    writer = sqlite3.connect(database, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    try:
        status, fields, body = ask(service)
    finally:
        writer.execute("ROLLBACK")
        writer.close()
    assert status == 503
    assert fields["Retry-After"]
    assert "token" not in body
    # A worker that has seen it hang refuses until its probe has got the lock, too.
    deadline = time.monotonic() + 10
    while (status := ask(service)[0]) == 503 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert status == 200


@on_postgres
def test_connections_that_the_server_closed_are_replaced_unnoticed(service):
    for _ in range(8):
        assert ask(service)[0] == 200
    with psycopg.connect(service.environment["REGISTRY_TOKEN_DATABASE_URL"]) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert [ask(service)[0] for _ in range(8)] == [200] * 8


def test_a_database_out_of_reach_is_503_but_the_process_lives(tmp_path):
    unreachable = "postgres://nobody:hidden-password@127.0.0.1:1/none"
    with Service(tmp_path, {"WEB_CONCURRENCY": "1"}) as service:
        service.stop()
        service.environment["REGISTRY_TOKEN_DATABASE_URL"] = unreachable
        service.start()
        status, fields, body = ask(service)
        assert (status, fields["Retry-After"]) == (503, "2")
        assert "hidden-password" not in json.dumps(body)
        status, _, answer = service.request("GET", "/readyz")
        assert status == 503
        assert json.loads(answer)["errors"][0]["detail"]["failing"] == ["database", "migrations"]
        assert service.request("GET", "/healthz")[0] == 200
        assert "hidden-password" not in service.output.read_text()
