"""What the command line asks for."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from benchmarks import databases, server
from benchmarks.processes import cores

SERVER = "postgres://postgres@127.0.0.1:5432/postgres"


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure. Without a second core `load_core` is the service's own."""

    kinds: tuple[databases.Kind, ...]
    seconds: float
    connections: tuple[int, ...]
    large: bool
    processes: bool
    server: server.Kind
    callers: int
    fresh: int
    rounds: int
    rows: int
    revoked: int
    rules: int
    plans: int
    out: Path | None
    database_server: str
    server_core: int
    load_core: int


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.token",
        description="Measure the token service beside the RSA signatures of one core.",
        epilog="TEST_DATABASE_URL names the PostgreSQL server.",
    )
    _add_what(parser)
    _add_how_much(parser)
    given = parser.parse_args(arguments)
    usable = cores()
    both: tuple[databases.Kind, ...] = ("sqlite", "postgres")
    return Options(
        kinds=both if given.database == "both" else (cast(databases.Kind, given.database),),
        seconds=given.seconds,
        connections=given.connections,
        large=given.large,
        processes=given.processes,
        server=given.server,
        callers=given.callers,
        fresh=given.fresh,
        rounds=given.rounds,
        rows=given.rows,
        revoked=given.revoked,
        rules=given.rules,
        plans=given.plans,
        out=given.out,
        # Services get their URL from here; those of the tests would look at the variable.
        database_server=os.environ.pop("TEST_DATABASE_URL", SERVER),
        server_core=usable[0],
        load_core=usable[1] if len(usable) > 1 else usable[0],
    )


def _add_what(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--database", choices=["sqlite", "postgres", "both"], default="both")
    add("--server", choices=["gunicorn", "granian"], default="gunicorn")
    add(
        "--large",
        action="store_true",
        help="compare a large database with a small one (PostgreSQL)",
    )
    add("--processes", action="store_true", help="compare two service processes with one")
    add("--out", type=Path, help="report without suffix; default benchmarks/results/DATE-WHAT")


def _add_how_much(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--seconds", type=float, default=10, help="of each run (default %(default)s)")
    add("--connections", type=_numbers, default=(1, 8, 64), help="default 1,8,64")
    add("--callers", type=int, default=50, help="different caller tokens (default %(default)s)")
    # More than the service remembers, or it would know them at the second time.
    add("--fresh", type=int, default=12_000, help="access tokens of the run with new ones")
    add("--rounds", type=int, default=2, help="of each comparison (default %(default)s)")
    add("--rows", type=int, default=10_000_000, help="--large: in the log (default %(default)s)")
    add("--revoked", type=int, default=1_000_000, help="--large: licences (default %(default)s)")
    add("--rules", type=int, default=10_000, help="--large: in the catalogue (default %(default)s)")
    add("--plans", type=int, default=500, help="--large: in the catalogue (default %(default)s)")


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))
