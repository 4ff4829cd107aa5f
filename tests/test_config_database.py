"""The database URL: what Django makes of it, and that it is never shown."""

from __future__ import annotations

import pytest

from registry_token.config_values import BASE_DIR
from tests.configuration import read

PLACES = {
    "everything": (
        "postgres://user:password@db.example.com:6543/name",
        ("user", "password", "db.example.com", 6543, "name"),
    ),
    "postgresql": ("postgresql://db/name", ("", "", "db", "", "name")),
    "escaped": (
        "postgres://us%40er:p%40ss%2Fw%3Ard%25%23%3F@db/na%20me",
        ("us@er", "p@ss/w:rd%#?", "db", "", "na me"),
    ),
    "dollar": ("postgres://user:$HOME$a@db/name", ("user", "$HOME$a", "db", "", "name")),
    "dollar first": ("postgres://$user:$@db/name", ("$user", "$", "db", "", "name")),
    "plus": ("postgres://user:a+b@db/name", ("user", "a+b", "db", "", "name")),
    "address": ("postgres://user:a@[::1]:5432/name", ("user", "a", "::1", 5432, "name")),
}


@pytest.mark.parametrize("case", PLACES)
def test_postgres(tmp_path, case):
    url, expected = PLACES[case]
    configuration = read(tmp_path, DATABASE_URL=url)
    assert configuration.errors == ()
    database = configuration.values["database.url"]
    assert database["ENGINE"] == "django.db.backends.postgresql"
    names = ("USER", "PASSWORD", "HOST", "PORT", "NAME")
    assert tuple(database[name] for name in names) == expected


def test_postgres_connections_are_kept(tmp_path):
    database = read(tmp_path, DATABASE_URL="postgres://db/name").values["database.url"]
    assert database["CONN_MAX_AGE"] is None
    assert database["OPTIONS"] == {
        "connect_timeout": 2,
        "tcp_user_timeout": 8000,
        "keepalives_idle": 4,
        "keepalives_interval": 2,
    }


@pytest.mark.parametrize(("text", "pooled"), [("true", True), ("ON", True), ("false", False)])
def test_postgres_pool(tmp_path, text, pooled):
    url = f"postgres://db/name?pool={text}"
    database = read(tmp_path, DATABASE_URL=url).values["database.url"]
    assert ("pool" in database["OPTIONS"]) is pooled
    assert database["CONN_MAX_AGE"] == (0 if pooled else None)


def test_postgres_parameters_go_to_the_driver(tmp_path):
    url = "postgres://db/name?sslmode=verify-full&connect_timeout=7&pool=true"
    options = read(tmp_path, DATABASE_URL=url).values["database.url"]["OPTIONS"]
    assert options["sslmode"] == "verify-full"
    assert options["connect_timeout"] == 7
    assert options["pool"]["timeout"] == 2


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///var/a.sqlite3", BASE_DIR / "var" / "a.sqlite3"),
        ("sqlite:////srv/a.sqlite3", "/srv/a.sqlite3"),
    ],
    ids=["relative", "absolute"],
)
def test_sqlite(tmp_path, url, path):
    database = read(tmp_path, DATABASE_URL=url).values["database.url"]
    assert database["ENGINE"] == "django.db.backends.sqlite3"
    assert str(database["NAME"]) == str(path)
    assert "journal_mode=WAL" in database["OPTIONS"]["init_command"]
    assert database["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_default_is_a_file_under_var(tmp_path):
    database = read(tmp_path).values["database.url"]
    assert database["NAME"] == BASE_DIR / "var" / "registry-token.sqlite3"


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("mysql://user:password@db/name", "must begin with sqlite:/// or postgres://"),
        ("name", "must begin with sqlite:/// or postgres://"),
        ("://", "must begin with sqlite:/// or postgres://"),
        ("postgres://user:password@db", "must name a database"),
        ("postgres://user:password@db/", "must name a database"),
        ("postgres://user:password@db:port/name", "is not a valid URL"),
        ("postgres://user:password@db:99999/name", "is not a valid URL"),
        ("postgres://user:pass/word@db/name", "is not a valid URL"),
        ("postgres://user:password@[::1/name", "is not a valid URL"),
        ("postgres://db/name?pool=ture", "pool"),
        ("sqlite://var/a.sqlite3", "must be sqlite:///var/file.sqlite3"),
        ("sqlite:///", "must be sqlite:///var/file.sqlite3"),
        ("sqlite://:memory:", "must be sqlite:///var/file.sqlite3"),
        ("sqlite:///var/a.sqlite3?timeout=5", "sqlite"),
        ("sqlite:///var/a.sqlite3#b", "sqlite"),
    ],
)
def test_refuses(tmp_path, url, error):
    (said,) = read(tmp_path, DATABASE_URL=url).errors
    assert said.startswith("REGISTRY_TOKEN_DATABASE_URL (database.url): ")
    assert error in said
    assert "word" not in said.replace("PASSWORD", "")


@pytest.mark.parametrize(
    ("servers", "hosts", "ports"),
    [
        ("a:5433,b:5434", "a,b", "5433,5434"),
        ("a,b:5434", "a,b", "5432,5434"),
        ("[::1]:1,[::2]", "::1,::2", "1,5432"),
    ],
)
def test_postgres_may_have_several_servers(tmp_path, servers, hosts, ports):
    url = f"postgres://me:secret%40@{servers}/tokens?target_session_attrs=read-write"
    configuration = read(tmp_path, DATABASE_URL=url)
    assert not configuration.errors
    database = configuration.values["database.url"]
    options = database["OPTIONS"]
    assert (options["host"], options["port"]) == (hosts, ports)
    assert database["HOST"] == database["PORT"] == ""
    assert (database["USER"], database["PASSWORD"]) == ("me", "secret@")
    assert (database["NAME"]) == "tokens"
    assert options["target_session_attrs"] == "read-write"


@pytest.mark.parametrize("servers", ["a:x,b", "a:1:2,b", "a,b:123456", "[a],b"])
def test_servers_that_are_none_are_an_error(tmp_path, servers):
    (error,) = read(tmp_path, DATABASE_URL=f"postgres://me:hidden@{servers}/tokens").errors
    assert "HOST:PORT" in error
    assert "hidden" not in error
