"""The service as it stands, a large database beside a small one, two processes beside one.

What is compared takes turns, so that a machine that slows down counts for both.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.answers import wrong_answers
from benchmarks.callers import Ask, asks, write_lua
from benchmarks.databases import new_database
from benchmarks.fill import fill
from benchmarks.measure import Run, cpu_per_probe, measure
from benchmarks.options import Options
from benchmarks.steps_run import measure_steps
from benchmarks.subjects import SMALL_PLANS, SMALL_RULES, Findings, Subject, started


def as_it_stands(options: Options, folder: Path, findings: Findings) -> None:
    """One worker on each database, and what each step costs."""
    core = options.server_core
    for kind in options.kinds:
        with (
            new_database(kind, folder, options.database_server) as database,
            started(kind, options, folder, database, core=core) as subject,
        ):
            _measure_in_turn([subject], options, findings, rounds=1)
            fresh = _with_new_tokens(subject, options, findings)
            findings.footprints.append(subject.footprint())
            probe = _cpu_per_probe(subject, options)
            steps = measure_steps(
                kind, subject.server, subject.asked, fresh, core=core, probe=probe
            )
            findings.steps.append(steps)


def large_beside_small(options: Options, folder: Path, findings: Findings) -> None:
    """Ten rules and empty tables, in turn with what `fill` makes."""
    server, core = options.database_server, options.server_core
    plans, rules = options.plans, options.rules
    with (
        new_database("postgres", folder, server) as few,
        new_database("postgres", folder, server) as many,
        started("small", options, folder, few, core=core) as small,
        started("large", options, folder, many, core=core, plans=plans, rules=rules) as large,
    ):
        filled = fill(many.url, revoked=options.revoked, rows=options.rows, plans=plans)
        findings.notes.append(
            f"large: {rules:,} rules in {plans:,} plans, {filled.revoked:,} revoked licences,"
            f" {filled.rows:,} rows in the log; {filled.size}, filled in {filled.seconds:,.0f} s."
            f" small: {SMALL_RULES} rules in {SMALL_PLANS} plans, no revoked licence, an empty log."
        )
        large.server.stop()
        large.server.start()
        _ask_for_every_plan(large, findings)
        _measure_in_turn([small, large], options, findings, rounds=options.rounds)
        for subject in (small, large):
            _with_new_tokens(subject, options, findings)
            findings.footprints.append(subject.footprint())


def two_beside_one(options: Options, folder: Path, findings: Findings) -> None:
    """One and two workers on all cores, where the load competes with them."""
    for kind in options.kinds:
        with (
            new_database(kind, folder, options.database_server) as database,
            started(f"{kind} 1 process", options, folder, database) as one,
            started(f"{kind} 2 processes", options, folder, database, processes=2) as two,
        ):
            _measure_in_turn([one, two], options, findings, rounds=options.rounds)
            findings.footprints += [one.footprint(), two.footprint()]


def _measure_in_turn(
    subjects: Sequence[Subject], options: Options, findings: Findings, *, rounds: int
) -> None:
    findings.problems += [problem for s in subjects for problem in s.wrong_answers()]
    for connections in options.connections:
        for subject in [*subjects] * rounds:
            findings.runs.append(_run(subject, options, connections))
    findings.problems += [problem for s in subjects for problem in s.wrong_answers()]


def _run(subject: Subject, options: Options, connections: int, *, warm_up: bool = True) -> Run:
    run = measure(
        subject.server,
        subject.database,
        subject.requests,
        label=subject.label,
        connections=connections,
        seconds=options.seconds,
        load_core=None if subject.server.core is None else options.load_core,
        warm_up=warm_up,
    )
    sys.stderr.write(
        f"{run.label}, {connections} connections: {run.tokens_per_second:,.0f} tokens/s\n"
    )
    return run


def _ask_for_every_plan(subject: Subject, findings: Findings) -> None:
    """Rules are compiled when they are first needed; memory is measured with all of them."""
    server = subject.server
    every = asks(server.authority, server.plans, plans=server.plans, rules=server.rules, only=1)
    findings.problems += wrong_answers(server.url, every, subject.database)


def _with_new_tokens(subject: Subject, options: Options, findings: Findings) -> list[Ask]:
    """A run in which the service has seen no access token before; gives its requests."""
    server = subject.server
    fresh = asks(server.authority, options.fresh, plans=server.plans, rules=server.rules, only=1)
    requests = server.folder / "fresh.lua"
    write_lua(fresh, requests)
    once = replace(subject, label=f"{subject.label}, new access tokens", requests=requests)
    # A warm-up would send the first of them.
    findings.runs.append(_run(once, options, _middle(options.connections), warm_up=False))
    return fresh


def _middle(connections: Sequence[int]) -> int:
    return sorted(connections)[len(connections) // 2]


def _cpu_per_probe(subject: Subject, options: Options) -> float:
    """What a worker spends on a request that needs no token and no database, but is as long."""
    requests = subject.server.folder / "probes.lua"
    probes = [replace(ask, method="GET", target="/healthz", body="") for ask in subject.asked]
    write_lua(probes, requests)
    return cpu_per_probe(
        subject.server,
        requests,
        connections=_middle(options.connections),
        seconds=options.seconds,
        load_core=options.load_core,
    )
