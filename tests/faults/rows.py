"""Reading the issuance log beside the service, from either database."""

from __future__ import annotations

import contextlib
import sqlite3
import uuid

import psycopg

_OF_A_CLIENT = "SELECT jti FROM issuances_issuance WHERE jti IS NOT NULL AND user_agent = "


def issued(url: str, user_agent: str) -> list[str]:
    """The ids of the tokens that have a row, of the requests with this user agent."""
    if url.startswith("sqlite:///"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
            rows = database.execute(f"{_OF_A_CLIENT} ?", [user_agent]).fetchall()
    else:
        with psycopg.connect(url) as connection:
            rows = connection.execute(f"{_OF_A_CLIENT} %s", [user_agent]).fetchall()
    return [str(uuid.UUID(str(jti))) for (jti,) in rows]
