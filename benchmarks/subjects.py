"""What is measured: running services with their databases and requests; and what was found."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.answers import wrong_answers
from benchmarks.callers import Ask, asks, write_lua
from benchmarks.databases import Database
from benchmarks.measure import Run
from benchmarks.options import Options
from benchmarks.processes import Memory
from benchmarks.server import Server
from benchmarks.steps_run import Steps

SMALL_PLANS, SMALL_RULES = 3, 10
_SAMPLES = 200


@dataclass(frozen=True, slots=True)
class Footprint:
    """What a service takes: seconds to start, memory of its workers after the load."""

    label: str
    start_up: float
    workers: list[Memory]


@dataclass(slots=True)
class Findings:
    """All that was measured, before it is put into tables."""

    runs: list[Run] = field(default_factory=list)
    footprints: list[Footprint] = field(default_factory=list)
    steps: list[Steps] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Subject:
    """A running service with its database and the requests that it is asked."""

    label: str
    server: Server
    database: Database
    asked: list[Ask]
    requests: Path

    def wrong_answers(self) -> list[str]:
        """What is wrong with answers and rows of a sample, as sentences."""
        wrong = wrong_answers(self.server.url, self.asked[:_SAMPLES], self.database)
        return [f"{self.label}: {problem}" for problem in wrong]

    def footprint(self) -> Footprint:
        """As of now."""
        return Footprint(self.label, self.server.start_up, self.server.memory())


@contextlib.contextmanager
def started(
    label: str,
    options: Options,
    folder: Path,
    database: Database,
    *,
    plans: int = SMALL_PLANS,
    rules: int = SMALL_RULES,
    processes: int = 1,
    core: int | None = None,
) -> Iterator[Subject]:
    """Start a service with a catalogue of that size; on one core if there is one named."""
    server = Server(
        folder / label.replace(" ", "-"),
        database,
        kind=options.server,
        plans=plans,
        rules=rules,
        processes=processes,
        core=core,
    )
    with server:
        asked = asks(server.authority, options.callers, plans=plans, rules=rules)
        requests = server.folder / "requests.lua"
        write_lua(asked, requests)
        yield Subject(label, server, database, asked, requests)
