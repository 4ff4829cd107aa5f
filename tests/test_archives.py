"""What is pruned can be archived first: all of it, or nothing goes."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from issuances.encoding import line_of
from issuances.keeping import archives
from issuances.keeping.partitions import Month
from issuances.keeping.partitions_ahead import make_ahead
from issuances.models import Issuance
from issuances.statements import MANIFEST, keys_in, opened
from issuances.verify import main
from registry_token import retention
from tests.log_rows import issuance, resource

pytestmark = pytest.mark.django_db

BEFORE = "2026-02-01"


@pytest.fixture
def rows():
    """A row each tenth day, the first twelve of them before BEFORE; the oldest first."""
    begin = datetime(2025, 10, 3, 12, tzinfo=UTC)
    names = ["acme/app", "acme/grün", 'a"b\\c']
    return [
        issuance(
            begin + timedelta(days=10 * n),
            requested=[resource(names[n % 3], "pull", "push")],
            refusal="" if n % 4 else "nothing_granted",
        )
        for n in range(20)
    ]


def prune(folder, *arguments):
    out = StringIO()
    call_command("prune_issuances", "--before", BEFORE, "--archive", folder, *arguments, stdout=out)
    return out.getvalue()


def archived(folder):
    """The lines of all archives, in the order of their names."""
    return b"".join(gzip.decompress(path.read_bytes()) for path in paths(folder)).splitlines()


def paths(folder):
    return sorted(folder.glob("*.ndjson.gz"))


def expected(rows):
    return [line_of(row) for row in rows if row.created_at < datetime(2026, 2, 1, tzinfo=UTC)]


def test_the_rows_are_in_the_archive_as_canonical_lines(rows, tmp_path):
    lines = expected(rows)
    assert "archived in " in prune(tmp_path)
    assert archived(tmp_path) == lines
    assert len(lines) == 13
    assert Issuance.objects.count() == 7


def test_the_manifest_says_what_is_in_it(rows, tmp_path):
    prune(tmp_path)
    (path,) = paths(tmp_path)
    manifest = json.loads(archives.manifest_of(path).read_text())
    lines = gzip.decompress(path.read_bytes())
    assert manifest["rows"] == 13
    assert manifest["sha256"] == hashlib.sha256(lines).hexdigest()
    assert manifest["file_sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (manifest["file"], manifest["format"]) == (path.name, "ndjson")
    assert (manifest["first_id"], manifest["last_id"]) == (str(rows[0].id), str(rows[12].id))
    assert path.name == "issuances-20251003T120000Z-20260131T120000Z.ndjson.gz"


def test_the_manifest_is_signed_by_the_service(rows, tmp_path, client):
    prune(tmp_path)
    (path,) = paths(tmp_path)
    manifest = json.loads(archives.manifest_of(path).read_text())
    keys = list(keys_in(client.get("/jwks").content, "jwks"))
    statement = manifest.pop("statement")
    assert opened(statement, keys, typ=MANIFEST) == manifest
    key = tmp_path / "jwks.json"
    key.write_bytes(client.get("/jwks").content)
    beside = ["--key", str(key), "--manifest", str(archives.manifest_of(path))]
    unpacked = tmp_path / "rows.ndjson"
    unpacked.write_bytes(gzip.decompress(path.read_bytes()))
    for file in (path, unpacked):
        assert main([*beside, "--archive", str(file)]) == 0
    unpacked.write_bytes(unpacked.read_bytes()[:-1])
    assert main([*beside, "--archive", str(unpacked)]) == 1


def test_nothing_goes_where_the_manifest_cannot_be_signed(rows, tmp_path, settings):
    settings.SIGNING_KEY = "/nowhere"
    with pytest.raises(CommandError, match="/nowhere"):
        prune(tmp_path)
    assert Issuance.objects.count() == 20
    assert list(tmp_path.iterdir()) == []


def test_it_is_for_its_owner_alone(rows, tmp_path):
    folder = tmp_path / "new" / "folder"
    prune(folder)
    modes = {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}
    assert modes == {"0o600"}
    assert len(list(folder.iterdir())) == 2


def test_a_dry_run_archives_nothing(rows, tmp_path):
    prune(tmp_path / "folder", "--dry-run")
    assert not (tmp_path / "folder").exists()


def test_nothing_goes_where_the_archive_cannot_be_written(rows, tmp_path):
    (tmp_path / "folder").write_text("a file")
    with pytest.raises(CommandError, match="folder"):
        prune(tmp_path / "folder")
    assert Issuance.objects.count() == 20


def test_an_archive_of_other_rows_is_not_overwritten(rows, tmp_path):
    path = tmp_path / "issuances-20251003T120000Z-20260131T120000Z.ndjson.gz"
    path.write_bytes(gzip.compress(b"other rows\n"))
    archives.manifest_of(path).write_text("{}")
    with pytest.raises(CommandError, match="holds other rows; move it elsewhere"):
        prune(tmp_path)
    assert gzip.decompress(path.read_bytes()) == b"other rows\n"
    assert Issuance.objects.count() == 20


@pytest.mark.parametrize("broken", [b"", b"nonsense"])
def test_a_file_that_is_no_archive_is_not_overwritten(rows, tmp_path, broken):
    path = tmp_path / "issuances-20251003T120000Z-20260131T120000Z.ndjson.gz"
    path.write_bytes(broken)
    with pytest.raises(CommandError, match="move it elsewhere"):
        prune(tmp_path)
    assert path.read_bytes() == broken
    assert Issuance.objects.count() == 20


def test_an_archive_that_an_interrupted_run_has_left_is_good(rows, tmp_path):
    (part,) = retention.parts(datetime(2026, 2, 1, tzinfo=UTC))
    path = archives.write(tmp_path, part, dict)
    before = path.read_bytes()
    prune(tmp_path)
    assert paths(tmp_path) == [path]
    assert path.read_bytes() == before
    assert Issuance.objects.count() == 7


def test_rows_that_come_in_between_keep_all_from_going(rows, tmp_path):
    (part,) = retention.parts(datetime(2026, 2, 1, tzinfo=UTC))
    issuance(datetime(2025, 12, 24, tzinfo=UTC))
    with pytest.raises(archives.ArchiveError, match="14 rows were read where 13 had been counted"):
        archives.write(tmp_path, part, dict)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no partitions")
def test_each_month_has_an_archive_of_its_own(tmp_path):
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE issuances_issuance_first")
    rows = [
        issuance(Month(2020, 10).after(month).begins + timedelta(days=day))
        for month in range(3)
        for day in (1, 2)
    ]
    assert len(make_ahead(datetime.now(UTC)).partitions) >= 3
    prune(tmp_path, "--before", "2020-12-03")
    assert [path.name[10:18] for path in paths(tmp_path)] == ["20201002", "20201102", "20201202"]
    assert archived(tmp_path) == [line_of(row) for row in rows[:5]]
    assert list(Issuance.objects.all()) == rows[5:]
