"""The findings of the audit benchmark as tables, and what of them is not as it has to be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.audit_load import Work
from benchmarks.audit_pages import Timed
from benchmarks.report import Table, Value

SLOWEST = 0.3  # seconds
FACTOR = 3  # of the time at the small size
EXPORTED = 50_000  # rows a second
MEMORY = 100  # MB
INSERTED = 0.9  # of the rate at the small size

_MS = ",.1f"


@dataclass(slots=True)
class Findings:
    """By the number of rows."""

    small: int
    large: int
    notes: list[str] = field(default_factory=list)
    pages: dict[int, dict[str, Timed]] = field(default_factory=dict)
    beside: dict[int, dict[str, Timed]] = field(default_factory=dict)
    work: dict[int, list[Work]] = field(default_factory=dict)
    inserts: dict[str, list[float]] = field(default_factory=dict)

    def pairs(self) -> Iterator[tuple[str, Timed, Timed]]:
        """Each page at both sizes."""
        for name, found in self.pages[self.large].items():
            yield name, self.pages[self.small][name], found


def problems(findings: Findings) -> list[str]:
    """What misses its target."""
    return [
        *(f"{name}: {why}" for name, *both in findings.pairs() if (why := _wrong(*both))),
        *_wrong_work(findings),
        *(
            f"inserting {how}: {large / small:.2f} of the rate at {findings.small:,} rows"
            for how, (small, large) in findings.inserts.items()
            if large < small * INSERTED
        ),
    ]


def _wrong(small: Timed, large: Timed) -> str:
    if max(small.status, large.status) != 200:
        return f"answered {max(small.status, large.status)}"
    if large.median > SLOWEST:
        return f"{large.median * 1000:.0f} ms"
    if large.median > small.median * FACTOR and not large.goes_on:
        return f"{large.median / small.median:.1f} times as long"
    return ""


def _wrong_work(findings: Findings) -> Iterator[str]:
    for work in findings.work[findings.large]:
        if not work.rows:
            yield f"{work.name}: {work.note or 'failed'}"
        elif work.name.startswith("export"):
            if work.rate < EXPORTED:
                yield f"{work.name}: {work.rate:,.0f} rows/s"
            if work.peak >= MEMORY:
                yield f"{work.name}: {work.peak:.0f} MB"


def tables(findings: Findings) -> list[Table]:
    """All of them."""
    made = [_pages(findings), _work(findings)]
    if findings.inserts:
        made.append(_inserts(findings))
    if findings.beside:
        made.append(_beside(findings))
    return made


def _pages(findings: Findings) -> Table:
    rows: list[list[Value]] = [
        [
            name,
            small.median * 1000,
            large.median * 1000,
            large.longest * 1000,
            large.median / small.median,
            _wrong(small, large) or "pass",
        ]
        for name, small, large in findings.pairs()
    ]
    columns = [
        ("question", ""),
        (f"ms at {findings.small:,}", _MS),
        (f"ms at {findings.large:,}", _MS),
        ("longest", _MS),
        ("quotient", ".2f"),
        ("verdict", ""),
    ]
    note = (
        "Medians, from the request to the last byte, over a kept connection. To pass: at most"
        f" {SLOWEST * 1000:.0f} ms, and {FACTOR} times the time at the small size;"
        " the latter not where somebody has a search go on, which has the same time at any size and"
        " ends sooner where there is less."
    )
    return Table("Pages", columns, rows, note)


def _work(findings: Findings) -> Table:
    rows: list[list[Value]] = [
        [work.name, work.rows, work.seconds, work.rate, work.peak, work.note]
        for size in (findings.small, findings.large)
        for work in findings.work[size]
    ]
    columns = [
        ("work", ""),
        ("rows", ",d"),
        ("s", ",.1f"),
        ("rows/s", ",.0f"),
        ("peak MB", ",.0f"),
        ("last line", ""),
    ]
    note = (
        "The peak is of the resident memory of the whole process, Python included: of the service's"
        f" worker for exports over HTTP. To pass, exports make {EXPORTED:,} rows/s with less than"
        f" {MEMORY} MB."
    )
    return Table("The whole log", columns, rows, note)


def _inserts(findings: Findings) -> Table:
    rows: list[list[Value]] = [
        [how, small, large, large / small] for how, (small, large) in findings.inserts.items()
    ]
    columns = [
        ("rows written", ""),
        (f"rows/s at {findings.small:,}", ",.0f"),
        (f"rows/s at {findings.large:,}", ",.0f"),
        ("quotient", ".2f"),
    ]
    note = f"Eight threads, as a worker has, each row committed. To pass: at least {INSERTED}."
    return Table("Rows written", columns, rows, note)


def _beside(findings: Findings) -> Table:
    rows: list[list[Value]] = [
        [name, small.median * 1000, findings.beside[findings.large][name].median * 1000]
        for name, small in findings.beside[findings.small].items()
        if name in findings.beside[findings.large]
    ]
    columns = [
        ("page while rows are written", ""),
        (f"ms at {findings.small:,}", _MS),
        (f"ms at {findings.large:,}", _MS),
    ]
    return Table("Pages beside rows that are written", columns, rows)
