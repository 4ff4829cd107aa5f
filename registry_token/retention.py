"""How long rows of the issuance log are kept, and taking out what is older.

Each run stands in the activity log before its first row goes, and again with what has gone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings

from issuances.counting import failures
from issuances.identifiers import first_uuid7, time_of
from issuances.keeping import archives, partitions, pruning
from issuances.keeping.partitions_ahead import make_ahead
from issuances.keeping.pruning import Part
from issuances.sealing.making import SealedMeanwhile
from issuances.sealing.manifests import document_of
from issuances.sealing.unsealed import is_in_use
from issuances.statements import MANIFEST
from people.activity import record_activity
from people.models import Action
from registry_token.service_seals import record_pruned, require_sealed, require_whole, write_seals
from registry_token.signing import signing_key

_ATTEMPTS, _PAUSE = 10, 0.2  # to seal between others who seal; seconds
LEAST = timedelta(days=1)  # that rows are kept, whatever is asked for

Say = Callable[[str], None]


class Kept(ValueError):
    """Rows were asked to go that have to be kept; the message says until when."""


@dataclass(slots=True)
class Pruned:
    """What is gone: rows, partitions, bytes where known; counts of failed authentications."""

    rows: int = 0
    partitions: int = 0
    bytes: int = 0
    failures: int = 0


def limit(now: datetime, asked: datetime | None = None) -> datetime | None:
    """The time before which rows go, a midnight in UTC; None when all are kept.

    `asked` is somebody's wish: it cannot be later than the configuration allows. Raises Kept.
    """
    days = settings.AUDIT_RETENTION_DAYS
    latest = _midnight(now - (LEAST if days is None else timedelta(days=days)))
    if asked is None:
        return None if days is None else latest
    if asked > latest:
        why = "a day" if days is None else f"audit.retention_days, {days} days,"
        raise Kept(f"rows are kept for {why} at least: name {latest:%Y-%m-%d} or an earlier date")
    return asked


def _midnight(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def parts(before: datetime) -> list[Part]:
    """What would go, exactly. Raises django.db.Error."""
    return pruning.parts_before(first_uuid7(before))


def prune(
    before: datetime,
    found: list[Part],
    *,
    actor: str,
    report: Say,
    archive: Path | None = None,
    despite_missing: bool = False,
) -> Pruned:
    """Take the parts out, each archived in the folder `archive` before, and tell `report` of each.

    Where rows are sealed, that they go is sealed before. Raises archives.ArchiveError, NotSealed,
    SealedMeanwhile, SigningKeyError, Busy, django.db.Error.
    """
    done = Pruned()
    if not found:
        done.failures = failures.prune(before)
        return done
    until = f"{before:%Y-%m-%d %H:%M} UTC"
    rows = sum(part.rows for part in found)
    if rows:
        require_sealed(found[-1].end)
        if not despite_missing:
            require_whole(found[-1].end)
    despite = ", despite missing ones" if despite_missing else ""
    _record(actor, f"begun: {rows} rows before {until}{despite}")
    try:
        for part in found:
            report(in_words(part))
            if part.rows:
                if archive is not None:
                    report(f"archived in {_archived(archive, part)}")
                _seal_that_it_goes(part)
            for gone in pruning.remove(part):
                done.rows += gone
            done.partitions += bool(part.partition)
            done.bytes += part.bytes or 0
        done.failures = failures.prune(before)
    finally:
        _record(actor, f"pruned: {done.rows} rows before {until}, {done.partitions} partitions")
    return done


def _archived(folder: Path, part: Part) -> Path:
    """Where, with its seals beside it."""
    path = archives.write(folder, part, _signed)
    _write_seals(path, part)
    return path


def _seal_that_it_goes(part: Part) -> None:
    """Only once nothing else keeps it from going: what is missing below `part.end` from then on is
    taken for pruned. Raises SealedMeanwhile.
    """
    for attempts_left in reversed(range(_ATTEMPTS)):
        try:
            return record_pruned(part.end, part.rows)
        except SealedMeanwhile:
            if not attempts_left:
                raise
            time.sleep(_PAUSE)


def _write_seals(archive: Path, part: Part) -> None:
    """Beside the archive, for `python -m issuances.verify`; an earlier run's are replaced."""
    if not is_in_use() or part.oldest is None or part.newest is None:
        return
    path = archive.with_name(f"{archive.name}.seals.ndjson")
    try:
        path.unlink(missing_ok=True)
        write_seals(path, part.oldest, part.newest)
    except OSError as error:
        raise archives.ArchiveError(f"{path}: {error.strerror or error}") from None


def _signed(manifest: archives.Manifest) -> archives.Manifest:
    """The manifest and, as `statement`, the same signed by the service. Raises SigningKeyError."""
    return document_of(manifest, signing_key().sign_statement(manifest, typ=MANIFEST))


def _record(actor: str, detail: str) -> None:
    record_activity(None, Action.PRUNED, "issuance log", detail, actor=actor)


def in_words(part: Part) -> str:
    """A part in a line: what, how many rows, from when to when, how large."""
    what = f"partition {part.partition}" if part.partition else "single rows"
    words = f"{what}: {part.rows:,} rows"
    if part.oldest and part.newest:
        words += f", {_time(part.oldest)} to {_time(part.newest)}"
    return words if part.bytes is None else f"{words}, {part.bytes / 1e6:,.1f} MB"


def _time(id: UUID) -> str:
    return f"{time_of(id):%Y-%m-%d %H:%M:%S}"


def make_partitions(now: datetime, *, move_all: bool, report: Say) -> list[str]:
    """Make the partitions of the months to come; months whose rows stay in the default one.

    Raises Busy, django.db.Error.
    """
    made = make_ahead(now, move_all=move_all)
    if made.partitions:
        report(f"made partitions: {', '.join(made.partitions)}; {made.moved} rows moved there")
    for month in made.left:
        report(
            f"the default partition has many rows of {month}: --move-all moves them, and lets new"
            " rows wait meanwhile"
        )
    partitions.analyze()
    return [str(month) for month in made.left]
