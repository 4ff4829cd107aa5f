"""`python -m benchmarks.steps GIVEN FOUND`: times each step of a token in this process.

Runs on a service's configuration and database. GIVEN holds the requests, FOUND gets the figures:
microseconds of CPU and elapsed by the names of `step_calls`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import django

from benchmarks.callers import Ask

_ROUNDS, _EACH = 60, 10


def best(calls: Mapping[str, Callable[[], Any]]) -> dict[str, tuple[float, float]]:
    """Microseconds of CPU (of all threads) and elapsed of each call, of its best batch.

    The calls take turns, so that a machine that slows down counts for all.
    """
    costs = {name: [_batch(call)] for name, call in calls.items()}
    for _ in range(_ROUNDS):
        for name, call in calls.items():
            costs[name].append(_batch(call))
    return {
        name: (min(cpu for cpu, _ in batches), min(wall for _, wall in batches))
        for name, batches in costs.items()
    }


def _batch(call: Callable[[], Any]) -> tuple[float, float]:
    started, used = time.perf_counter(), time.process_time()
    for _ in range(_EACH):
        call()
    cpu, wall = time.process_time() - used, time.perf_counter() - started
    return cpu / _EACH * 1e6, wall / _EACH * 1e6


def main(given: str, found: str) -> None:
    """Read the requests, write the figures."""
    django.setup()
    from benchmarks.step_calls import calls

    asked, fresh = ([Ask(**ask) for ask in asks] for asks in json.loads(Path(given).read_text()))
    Path(found).write_text(json.dumps(best(calls(asked, fresh))))


if __name__ == "__main__":
    main(*sys.argv[1:])
