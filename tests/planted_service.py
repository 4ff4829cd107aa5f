"""A service whose settings hold marked secrets, and a look at all that its database holds."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from registry_token import key_files
from tests.planted import Planted
from tests.service import Service


def new_service(folder: Path, planted: Planted, **environment: str) -> Service:
    """A service whose settings hold secrets, the database's password among them."""
    service = Service(folder, {f"REGISTRY_TOKEN_{name}": v for name, v in environment.items()})
    url = service.environment["REGISTRY_TOKEN_DATABASE_URL"]
    if "@" in url:  # the server of the tests trusts, whatever the password
        user, _, host = urlsplit(url).netloc.rpartition("@")
        netloc = f"{user.partition(':')[0]}:{planted.mark('database password')}@{host}"
        url = urlsplit(url)._replace(netloc=netloc).geturl()
    file = folder / "database_url"
    file.write_text(url)
    del service.environment["REGISTRY_TOKEN_DATABASE_URL"]
    service.environment |= {
        "REGISTRY_TOKEN_DATABASE_URL_FILE": str(file),
        "REGISTRY_TOKEN_SECRET_KEY": planted.mark("secret key") * 2,
        "WEB_CONCURRENCY": "1",
    }
    plant_key(planted, key_files.private_key_pem(service.signing_key).decode())
    planted.add("private exponent", str(service.signing_key.private_numbers().d))
    return service


def plant_key(planted: Planted, pem: str) -> None:
    """Plant each line of a key in PEM form."""
    for number, line in enumerate(pem.strip().splitlines()[1:-1]):
        planted.add(f"line {number} of the signing key", line)


def database_url(service: Service) -> str:
    """What the service's file says."""
    return Path(service.environment["REGISTRY_TOKEN_DATABASE_URL_FILE"]).read_text()


def rows(service: Service) -> str:
    """Every column of every row of every table, as text."""
    url = database_url(service)
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            return "\n".join(file.iterdump())
    with psycopg.connect(url) as server:
        names = server.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        selects = [f'SELECT t::text FROM "{name}" t' for (name,) in names]
        return "\n".join(str(row) for select in selects for row in server.execute(select))


def execute(service: Service, statement: str) -> None:
    """Do something to the service's database."""
    url = database_url(service)
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file, file:
            file.execute(statement)
    else:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(statement)
