"""`python -m benchmarks.token`: tokens a second beside RSA signatures a second of the same core.

Starts the service as shipped, drives it with wrk, checks answers and rows, and writes a report.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine, server, tables
from benchmarks.measure import Run
from benchmarks.options import Options, parse
from benchmarks.report import Report, Table
from benchmarks.scenarios import as_it_stands, large_beside_small, two_beside_one
from benchmarks.subjects import Findings

_RESULTS = Path(__file__).with_name("results")
_SPEED_SECONDS = 3
_DISTURBED = 0.05  # of the service's core


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write and print the report. Exit status 1 when anything was wrong with a run."""
    # Leave no service and no database behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    options = parse(arguments)
    for tool in ("wrk", "openssl", "taskset"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is needed; on Debian: apt-get install wrk openssl util-linux")
    findings = Findings()
    rates = [machine.openssl_rates(options.server_core, _SPEED_SECONDS)]
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        _measure(options, Path(folder), findings)
    rates.append(machine.openssl_rates(options.server_core, _SPEED_SECONDS))
    report = _report(options, findings, rates)
    report.write(options.out or _RESULTS / f"{report.date}-{_what(options)}")
    sys.stdout.write(report.markdown())
    return 1 if report.problems else 0


def _measure(options: Options, folder: Path, findings: Findings) -> None:
    if options.large:
        large_beside_small(options, folder, findings)
    elif options.processes:
        two_beside_one(options, folder, findings)
    else:
        as_it_stands(options, folder, findings)


def _report(options: Options, findings: Findings, rates: list[machine.Rates]) -> Report:
    uses_postgres = options.large or "postgres" in options.kinds
    return Report(
        title=f"Token benchmark: {_what(options)}",
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=machine.description(options.database_server if uses_postgres else None),
        notes=[*_set_up(options), *findings.notes, *_circumstances(findings.runs)],
        tables=_tables(options, findings, rates),
        problems=findings.problems + [p for run in findings.runs for p in run.problems()],
    )


def _tables(options: Options, findings: Findings, rates: list[machine.Rates]) -> list[Table]:
    in_python = max((found.signatures for found in findings.steps), default=None)
    runs = findings.runs
    made = [
        tables.signatures(rates, in_python),
        tables.throughput(runs, tables.sign_rate(rates)),
    ]
    if options.large:
        made.append(tables.comparison(runs, "small", "large"))
    if options.processes:
        made += [
            tables.comparison(_of(kind, findings), f"{kind} 1 process", f"{kind} 2 processes")
            for kind in options.kinds
        ]
    return [
        *made,
        tables.footprints(findings.footprints),
        *(table for found in findings.steps for table in tables.steps(found, runs)),
    ]


def _of(kind: str, findings: Findings) -> list[Run]:
    return [run for run in findings.runs if run.label.startswith(kind)]


def _what(options: Options) -> str:
    """The scenario in a word or two, for the file's name."""
    what = "large" if options.large else "processes" if options.processes else "token"
    return what if options.server == "gunicorn" else f"{what}-{options.server}"


def _set_up(options: Options) -> list[str]:
    notes = [f"Service: {server.description(options.server)}"]
    if options.processes:
        notes.append(
            "One and two workers share all cores with wrk and PostgreSQL, so two cannot double the"
            " tokens per second here; tokens per CPU-second of the workers show what a second"
            " process costs by itself."
        )
    elif options.server_core == options.load_core:
        notes.append("One worker shares the only core with wrk and the database.")
    else:
        notes.append(
            f"One worker, with all its threads on core {options.server_core};"
            f" wrk (1 thread, keep-alive) on core {options.load_core}."
        )
    notes.append(
        f"{options.callers} callers in turn, each with an access token, a licence and repositories"
        " of its own, four requests each: three GET with Basic, as docker, podman and skopeo ask,"
        f" one POST form, as containerd does. Each run {options.seconds:g} s after a warm-up."
    )
    return notes


def _circumstances(runs: Sequence[Run]) -> list[str]:
    notes = sorted({run.pinned for run in runs if run.pinned})
    disturbed = sum(run.others is not None and run.others > _DISTURBED for run in runs)
    if disturbed:
        notes.append(
            f"{disturbed} of {len(runs)} runs lost more than {_DISTURBED:.0%} of the service's core"
            " to others: repeat them on a quiet machine."
        )
    return notes


if __name__ == "__main__":
    sys.exit(main())
