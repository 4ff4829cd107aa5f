"""Pruning a log whose rows are sealed: what is pruned is told from what was removed."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import CommandError, call_command
from django.db import connection

from issuances import verify
from issuances.keeping.partitions import Month
from issuances.keeping.partitions_ahead import make_ahead
from issuances.models import FailedAuthentications, Issuance, SealedBatch
from issuances.sealing.seals import PRUNED
from people.models import Action, Activity
from registry_token.signing import signing_key
from tests.log_rows import issuance
from tests.sealed_log import seal, verified

pytestmark = pytest.mark.django_db

BEFORE = "2026-02-01"
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def rows():
    """One on each of 45 days, 31 of them before BEFORE; the oldest first."""
    return [issuance(BEGIN + timedelta(days=n), subject=f"subject-{n}") for n in range(45)]


def prune(*arguments, before=BEFORE):
    out = StringIO()
    call_command("prune_issuances", "--before", before, *arguments, stdout=out)
    return out.getvalue()


def pruned_seals():
    return SealedBatch.objects.filter(kind=PRUNED).count()


def test_rows_that_were_pruned_are_no_finding_and_those_that_were_removed_are(rows):
    seal()
    prune()
    report = verified()
    assert (report.findings, report.pruned, report.rows) == ([], 31, 14)
    Issuance.objects.filter(id=rows[31].id).delete()
    (found,) = verified().findings
    assert (found.kind, found.row) == ("removed", rows[31].id.bytes)


def test_rows_that_are_not_sealed_yet_stay(rows, tmp_path):
    seal()
    issuance(BEGIN + timedelta(days=3, hours=1))
    FailedAuthentications.objects.create(
        minute=BEGIN, reason="token_expired", network="10.0.0.0/24", failures=1, throttled=0
    )
    for options in (("--archive", tmp_path), ("--dry-run",), ("--dry-run", "--json")):
        with pytest.raises(CommandError, match="1 of the rows are not sealed yet"):
            prune(*options)
    assert Issuance.objects.count() == 46
    assert pruned_seals() == 0
    assert list(tmp_path.iterdir()) == []
    assert FailedAuthentications.objects.count() == 1
    seal(everything=True)
    assert "so are 1 rows of failed authentications" in prune()
    assert (verified().findings, Issuance.objects.count()) == ([], 14)
    assert not FailedAuthentications.objects.exists()


def test_a_sealed_row_that_is_missing_is_not_covered_up_by_pruning(rows, tmp_path):
    seal()
    Issuance.objects.filter(id=rows[7].id).delete()
    for options in ((), ("--dry-run",), ("--archive", tmp_path)):
        with pytest.raises(CommandError, match=f"row {rows[7].id}, which is sealed, is missing"):
            prune(*options)
    assert Issuance.objects.count() == 44
    assert pruned_seals() == 0
    prune("--despite-missing")
    assert verified().findings == []
    begin = Activity.objects.filter(action=Action.PRUNED).last()
    assert begin is not None
    assert "despite missing ones" in begin.detail
    Issuance.objects.filter(id=rows[40].id).delete()
    with pytest.raises(CommandError, match=f"row {rows[40].id}, which"):
        prune(before="2026-02-14")
    assert Issuance.objects.count() == 13


def test_younger_rows_need_no_seal(rows):
    seal()
    issuance(BEGIN + timedelta(days=46))
    prune()
    report = verified()
    assert (report.findings, report.unsealed) == ([], 1)


def test_without_seals_nothing_is_sealed(rows):
    prune()
    assert not SealedBatch.objects.exists()


def test_nothing_is_said_to_be_pruned_where_the_archive_cannot_be_written(rows, tmp_path):
    seal()
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="file"):
        prune("--archive", tmp_path / "file")
    assert pruned_seals() == 0
    Issuance.objects.filter(id=rows[0].id).delete()
    assert [one.kind for one in verified().findings] == ["removed"]


@pytest.fixture
def archive(rows, tmp_path):
    """What was pruned, with all that belongs to it; the arguments to verify it."""
    seal()
    folder = tmp_path / "archive"
    prune("--archive", folder)
    (path,) = folder.glob("*.gz")
    key = tmp_path / "public.pem"
    public = signing_key().private_key.public_key()
    key.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    arguments = ["--key", key, "--seals", f"{path}.seals.ndjson", "--archive", path]
    return path, [str(one) for one in (*arguments, "--manifest", f"{path}.manifest.json")]


def test_an_archive_is_verified_with_the_public_key_alone(archive, capsys):
    _, arguments = archive
    assert verify.main(arguments) == 0
    assert "31 rows" in capsys.readouterr().out


def test_a_changed_archive_is_found_out(archive, capsys, rows):
    path, arguments = archive
    lines = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(lines.replace(b'"subject-7"', b'"subject-8"')))
    assert verify.main(arguments) == 1
    assert str(rows[7].id) in capsys.readouterr().out


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no partitions")
def test_months_that_were_dropped_are_no_finding(tmp_path):
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE issuances_issuance_first")
    for month in (10, 11, 12):
        for day in (1, 2):
            issuance(Month(2020, month).begins + timedelta(days=day))
    make_ahead(datetime.now(UTC))
    seal()
    late = issuance(Month(2020, 11).begins)
    with pytest.raises(CommandError, match="1 of the rows are not sealed yet"):
        prune(before="2020-11-03")
    assert Issuance.objects.count() == 7  # not October's either
    late.delete()
    assert "3 rows before 2020-11-03 are gone, 1 partition and" in prune(before="2020-11-03")
    report = verified()
    assert (report.findings, report.pruned, report.rows) == ([], 3, 3)
    assert pruned_seals() == 2
