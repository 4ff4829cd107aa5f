"""The databases that the service is measured on: made for a run, asked for rows, dropped."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

Kind = Literal["sqlite", "postgres"]

_BEFORE_ALL = "0" * 32


class Database:
    """A service's database, by its URL."""

    def __init__(self, kind: Kind, url: str) -> None:
        self.kind = kind
        self.url = url

    def value(self, sql: str, *parameters: Any) -> Any:
        """The first column of the first row, or None."""
        if self.kind == "sqlite":
            path = urlsplit(self.url).path[1:]
            with contextlib.closing(sqlite3.connect(path, timeout=10)) as connection:
                row = connection.execute(sql.replace("%s", "?"), parameters).fetchone()
        else:
            with psycopg.connect(self.url, autocommit=True) as connection:
                row = connection.execute(sql.encode(), parameters).fetchone()
        return row[0] if row else None

    def newest_row(self) -> str:
        """The id of the log's newest row; ids sort by time."""
        newest = self.value("SELECT id FROM issuances_issuance ORDER BY id DESC LIMIT 1")
        return str(newest or _BEFORE_ALL).replace("-", "")

    def rows_after(self, row: str) -> int:
        """How many tokens the log has after that row."""
        counted = "SELECT count(*) FROM issuances_issuance WHERE id > %s AND id = jti"
        return int(self.value(counted, row))

    def rows_of(self, jti: str) -> int:
        """How many rows the log has for one token."""
        counted = "SELECT count(*) FROM issuances_issuance WHERE jti = %s AND id = %s"
        plain = jti.replace("-", "")
        return int(self.value(counted, plain, plain))


@contextlib.contextmanager
def new_database(kind: Kind, folder: Path, server: str) -> Iterator[Database]:
    """An empty database: a file in the folder, or one on the server that is dropped at the end."""
    if kind == "sqlite":
        yield Database(kind, f"sqlite:///{folder}/benchmark.sqlite3")
        return
    name = f"benchmark_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield Database(kind, urlsplit(server)._replace(path=f"/{name}").geturl())
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def named_database(name: str, server: str, *, keep: bool) -> Iterator[Database]:
    """A PostgreSQL database of this name, made if it is not there; dropped at the end or kept."""
    url = urlsplit(server)._replace(path=f"/{name}").geturl()
    quoted = sql.Identifier(name)
    with psycopg.connect(server, autocommit=True) as connection:
        if not connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [name]
        ).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {}").format(quoted))
    try:
        yield Database("postgres", url)
    finally:
        if not keep:
            with psycopg.connect(server, autocommit=True) as connection:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))
