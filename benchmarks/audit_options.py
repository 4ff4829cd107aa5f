"""What the command line of the audit benchmark asks for."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.options import SERVER


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure."""

    rows: int
    small: int
    samples: int
    rounds: int
    seconds: float
    seed: int
    name: str
    keep: bool
    pages_only: bool
    python: str
    out: Path | None
    database_server: str


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.audit",
        description="Measure the pages, exports and seals of the issuance log (PostgreSQL).",
        epilog="TEST_DATABASE_URL names the PostgreSQL server.",
    )
    add = parser.add_argument
    add("--rows", type=int, default=10_000_000, help="of the large log (default %(default)s)")
    add("--small", type=int, default=100_000, help="rows of the small log (default %(default)s)")
    add("--samples", type=int, default=5, help="of each page (default %(default)s)")
    add("--rounds", type=int, default=5, help="of inserting, in turns (default %(default)s)")
    add("--seconds", type=float, default=10, help="of each round (default %(default)s)")
    add("--seed", type=int, default=1)
    add(
        "--name",
        default="rts_audit_bench",
        help="of the databases, which get their size behind it (default %(default)s)",
    )
    add("--keep", action="store_true", help="leave the databases there, for the next run")
    add("--pages-only", action="store_true", help="neither exports, seals nor rows beside them")
    add("--python", default=sys.executable, help="that serves; default this one")
    add("--out", type=Path, help="report without suffix; default benchmarks/results/DATE-audit")
    given = vars(parser.parse_args(arguments))
    if not 50_000 < given["small"] < given["rows"]:
        parser.error("--small must be more than 50,000, for a thousand pages, and less than --rows")
    return Options(**given, database_server=os.environ.get("TEST_DATABASE_URL", SERVER))
