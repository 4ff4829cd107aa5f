"""`python -m benchmarks.audit`: the issuance log's pages, exports and seals at ten million rows.

Fills two databases of PostgreSQL, a small and a large one, asks a running service all that an
auditor asks, and writes a report: what is slower than it may be, or slower than at the small size.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import audit_fill, audit_load, audit_tables, machine
from benchmarks.audit_client import Auditor
from benchmarks.audit_load import Work
from benchmarks.audit_options import Options, parse
from benchmarks.audit_pages import Timed, timed
from benchmarks.audit_questions import Question, questions
from benchmarks.audit_tables import Findings
from benchmarks.databases import named_database
from benchmarks.report import Report
from benchmarks.server import Server

_BESIDE = 12  # pages that are asked for while rows are written
_RESULTS = Path(__file__).with_name("results")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, write and print the report. Exit status 1 when something misses its target."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # leave no service behind
    options = parse(arguments)
    # The services get their URL from here; those of the tests would look at the variable.
    os.environ.pop("TEST_DATABASE_URL", None)
    findings = Findings(options.small, options.rows)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        logs = [
            _Log(stack, folder, options, rows, findings) for rows in (options.small, options.rows)
        ]
        _measure(logs, options, folder, findings)
    report = Report(
        title=f"Audit benchmark: {options.rows:,} rows",
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        machine=machine.description(options.database_server),
        notes=findings.notes,
        tables=audit_tables.tables(findings),
        problems=audit_tables.problems(findings),
    )
    report.write(options.out or _RESULTS / f"{report.date}-audit")
    sys.stdout.write(report.markdown())
    return 1 if report.problems else 0


class _Log:
    """A database of so many rows, a service on it, and an auditor."""

    def __init__(
        self, stack: ExitStack, folder: Path, options: Options, rows: int, findings: Findings
    ) -> None:
        name = f"{options.name}_{rows}"
        self.rows = rows
        self.database = stack.enter_context(
            named_database(name, options.database_server, keep=options.keep)
        )
        self.server = Server(folder / name, self.database, python=options.python)
        self.server.manage("migrate", "--verbosity", "0")
        there = self.database.value(f"SELECT count(*) FROM {audit_fill.TABLE}")
        if there < rows:
            if there:
                raise SystemExit(f"{name} has {there:,} rows; drop it, or give another --name")
            seconds = audit_fill.fill(self.database.url, rows, seed=options.seed)
            findings.notes.append(f"{rows:,} rows were filled in in {seconds:,.0f} s.")
        else:
            findings.notes.append(f"{name} was there, with {there:,} rows.")
        findings.work[rows] = [self.rolled_up("roll-up, what is new"), self.rolled_up()]
        stack.enter_context(self.server)
        self.auditor = Auditor(self.server)
        self.asked = list(questions(self.auditor, self.database))

    def rolled_up(self, name: str = "roll-up, nothing new") -> Work:
        """Of a log that has never been, all of it."""
        return audit_load.command(self.server, name, self.rows, "rollup_issuances")


def _measure(logs: list[_Log], options: Options, folder: Path, findings: Findings) -> None:
    small, large = logs
    for log in logs:
        findings.pages[log.rows] = dict(_pages(log, options))
    if options.pages_only:
        return
    servers = [small.server, large.server]
    findings.inserts["by themselves"] = audit_load.insert_rates(
        servers, options.seconds, options.rounds
    )
    for log in logs:
        findings.work[log.rows] += list(_work(log, folder))
    beside = [_beside_pages(log, options) for log in logs]
    findings.inserts["beside pages of the auditor"] = [rate for rate, _pages_ in beside]
    findings.beside = {log.rows: pages for log, (_rate, pages) in zip(logs, beside, strict=True)}


def _pages(log: _Log, options: Options) -> Iterator[tuple[str, Timed]]:
    for question in log.asked:
        yield question.name, _say(log, question, timed(log.auditor, question, options.samples))


def _say(log: _Log, question: Question, found: Timed) -> Timed:
    sys.stderr.write(f"{log.rows:,}: {question.name}: {found.median * 1000:.0f} ms\n")
    return found


def _work(log: _Log, folder: Path) -> Iterator[Work]:
    for form in ("ndjson", "csv"):
        yield audit_load.export(log.server, log.auditor, form, folder)
    out = folder / "export.ndjson"
    yield audit_load.command(
        log.server, "export_issuances", log.rows, "export_issuances", "--out", str(out)
    )
    for file in (out, Path(f"{out}.manifest.json")):
        file.unlink(missing_ok=True)
    for name in ("seal_issuances", "verify_issuances"):
        yield audit_load.command(log.server, name, log.rows, name)


def _beside_pages(log: _Log, options: Options) -> tuple[float, dict[str, Timed]]:
    """Rows a second while the auditor asks, and what the auditor waits for then."""
    writer = audit_load.inserting(log.server, options.seconds * 2)
    pages: dict[str, Timed] = {}
    while writer.poll() is None:
        for question in log.asked[:_BESIDE]:
            pages[question.name] = timed(log.auditor, question, 1)
    return float(writer.communicate()[0]), pages


if __name__ == "__main__":
    sys.exit(main())
