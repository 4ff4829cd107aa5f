"""Findings as the tables of a report."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from statistics import mean

from benchmarks.machine import Rates
from benchmarks.measure import Run
from benchmarks.report import Table, Value
from benchmarks.steps_run import Step, Steps
from benchmarks.subjects import Footprint

_PER_SECOND = ",.0f"
_STEP_COLUMNS = [("step", ""), ("CPU µs", ".1f"), ("elapsed µs", ".1f"), ("note", "")]


def signatures(rates: Sequence[Rates], in_python: float | None) -> Table:
    """The limit: what one core signs."""
    times = ("before", "after")
    rows: list[list[Value]] = [
        [f"openssl speed, {when}", rate.sign, rate.verify]
        for when, rate in zip(times, rates, strict=True)
    ]
    rows.append(["openssl speed, mean", sign_rate(rates), mean(rate.verify for rate in rates)])
    rows.append(["cryptography, called from Python", in_python, None])
    return Table(
        "RSA-2048 operations of one core",
        [("by", ""), ("signatures/s", _PER_SECOND), ("verifications/s", _PER_SECOND)],
        rows,
        "Ratios below are to the mean of openssl's signatures/s.",
    )


def sign_rate(rates: Sequence[Rates]) -> float:
    """Signatures a second of one core, over the whole invocation."""
    return mean(rate.sign for rate in rates)


def throughput(runs: Sequence[Run], signs: float) -> Table:
    """Every run."""
    return Table(
        "Tokens",
        [
            ("service", ""),
            ("connections", "d"),
            ("tokens/s", _PER_SECOND),
            ("ratio", ".3f"),
            ("p50 ms", ".2f"),
            ("p99 ms", ".2f"),
            ("worker CPU µs/token", ".0f"),
            ("ratio by CPU", ".3f"),
            ("core lost to others", ".1%"),
            ("errors", "d"),
            ("answers", "d"),
            ("sent", "d"),
            ("rows", "d"),
        ],
        [_run_row(run, signs) for run in runs],
        "ratio: tokens/s to RSA signatures/s of one core. ratio by CPU: the same for tokens per"
        " CPU-second of the workers, which other load on the machine disturbs less. core lost to"
        " others: the part of the service's core that went to other processes, interrupts and the"
        " host. rows: tokens that the issuance log gained. They must be at least the answers, and"
        " at most one more for each connection: wrk hangs up at the end without waiting for the"
        " last answers. Where rows equal the requests that were sent, the count is exact:"
        f" {sum(run.is_exact for run in runs)} of {len(runs)} runs.",
    )


def _run_row(run: Run, signs: float) -> list[Value]:
    load = run.load
    return [
        run.label,
        run.connections,
        run.tokens_per_second,
        run.tokens_per_second / signs,
        load.p50,
        load.p99,
        run.cpu_per_token,
        1e6 / run.cpu_per_token / signs,
        run.others,
        load.errors,
        load.answers,
        load.sent,
        run.rows,
    ]


def comparison(runs: Sequence[Run], first: str, second: str) -> Table:
    """The quotient of the second to the first, over all rounds, for each number of connections."""
    rows: list[list[Value]] = []
    ordered = sorted(runs, key=attrgetter("connections"))
    for connections, group in groupby(ordered, key=attrgetter("connections")):
        both = list(group)
        rates = [_mean_rate(both, label) for label in (first, second)]
        costs = [_mean_cost(both, label) for label in (first, second)]
        rows.append([connections, *rates, rates[1] / rates[0], *costs, costs[0] / costs[1]])
    return Table(
        f"{second} beside {first}",
        [
            ("connections", "d"),
            (f"{first}: tokens/s", _PER_SECOND),
            (f"{second}: tokens/s", _PER_SECOND),
            ("quotient", ".3f"),
            (f"{first}: tokens per CPU-second", _PER_SECOND),
            (f"{second}: tokens per CPU-second", _PER_SECOND),
            ("quotient by CPU", ".3f"),
        ],
        [[*row[:4], *(1e6 / float(cost or 1) for cost in row[4:6]), row[6]] for row in rows],
    )


def _mean_rate(runs: Sequence[Run], label: str) -> float:
    return mean(run.tokens_per_second for run in runs if run.label == label)


def _mean_cost(runs: Sequence[Run], label: str) -> float:
    return mean(run.cpu_per_token for run in runs if run.label == label)


def footprints(found: Sequence[Footprint]) -> Table:
    """Start-up and memory."""
    return Table(
        "Start-up and memory",
        [
            ("service", ""),
            ("start-up s", ".2f"),
            ("workers", "d"),
            ("largest worker RSS MiB", ".1f"),
            ("its PSS MiB", ".1f"),
        ],
        [_footprint_row(footprint) for footprint in found],
        "start-up: from exec to the first 200 of /readyz, system checks included. Memory after the"
        " load.",
    )


def _footprint_row(footprint: Footprint) -> list[Value]:
    largest = max(footprint.workers, key=attrgetter("rss"))
    workers = len(footprint.workers)
    return [footprint.label, footprint.start_up, workers, largest.rss, largest.pss]


def steps(found: Steps, runs: Sequence[Run]) -> list[Table]:
    """What each step costs, beside what a whole token costs under load; and what few need."""
    loaded = [run.cpu_per_token for run in runs if run.label == found.label]
    rows: list[list[Value]] = [_step_row(step) for step in found.steps]
    if loaded:
        rows.append(["a token under load", min(loaded), None, "the cheapest of the runs above"])
    return [
        Table(
            f"Steps, {found.label}",
            _STEP_COLUMNS,
            rows,
            "Each step by itself in one process, the best of many batches. What has no elapsed time"
            " is a difference of others.",
        ),
        Table(
            f"Beside the steps, {found.label}",
            _STEP_COLUMNS,
            [_step_row(step) for step in found.beside],
        ),
    ]


def _step_row(step: Step) -> list[Value]:
    return [step.name, step.cpu, step.wall, step.note]
