"""Sealing: everything is sealed once, whatever happens meanwhile, without a false alarm."""

from __future__ import annotations

import functools
import json
import signal
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from issuances.encoding import time_text
from issuances.identifiers import uuid7
from issuances.models import Issuance, SealedBatch
from issuances.sealing import making as sealing
from issuances.sealing.making import SealedMeanwhile, newest_head
from issuances.sealing.merkle import leaf_hash
from issuances.sealing.seals import parts, seal_in, seal_of_rows
from issuances.sealing.unsealed import numbers_around
from issuances.statements import SEAL, StatementError
from issuances.verify import main
from registry_token import key_files
from registry_token.config_values import BASE_DIR
from registry_token.service_seals import own_keys, record_pruned, seal_rows
from registry_token.signing import signing_key
from tests.log_rows import BEGIN, row, saved
from tests.sealed_log import SIZE, filled, seal, sealed_log, verified
from tests.service import Service
from tests.test_statements import pem_of

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
HOUR = 3600


# Whoever verifies after ten years reads exactly this.
SAID = {
    "number": 2,
    "kind": "rows",
    "sealed_at": "2026-03-01T12:00:00.000000Z",
    "previous": "ab" * 32,
    "rows": 2,
    "first_id": str(UUID(int=1)),
    "last_id": str(UUID(int=2)),
    "late": False,
    "root": "4f55f619d9215235778b2b9f17d6f4915b16171214d152381293669764de722e",
    "ids": "78d68721debb423cf880232869a63e2522c3dd6187159cbeb15b3ee7e15925f8",
}


def signed(said):
    return signing_key().sign_statement(said, typ=SEAL)


def test_what_a_seal_says_is_for_ever():
    ids = [UUID(int=1).bytes, UUID(int=2).bytes]
    beside = {name: SAID[name] for name in ("number", "sealed_at", "previous", "late")}
    made = seal_of_rows(ids, [leaf_hash(b"one"), leaf_hash(b"two")], **beside)
    assert made.as_json() == SAID
    assert seal_in(signed(SAID), own_keys()) == made


@pytest.mark.parametrize("other", [{"form": 2}, {"sealed_at": "today"}])
def test_a_seal_of_a_later_form_is_not_misread(other):
    with pytest.raises(StatementError, match="a form that is not known here"):
        seal_in(signed(SAID | other), own_keys())


def seal_at(now, **options):
    """As if it were `now`."""
    sign = functools.partial(signing_key().sign_statement, typ=SEAL)
    return list(sealing.seal_rows(sign, now, size=SIZE, **options))


def sealed_ids():
    """All of them, each as often as it is sealed."""
    blobs = SealedBatch.objects.exclude(ids=None).values_list("ids", flat=True)
    return sorted(one for blob in blobs for one in parts(bytes(blob or b""), 16))


def logged_ids():
    return [one.bytes for one in Issuance.objects.order_by("id").values_list("id", flat=True)]


def assert_whole(*, late=0, unsealed=0):
    report = verified()
    assert [str(found) for found in report.findings] == []
    assert (report.late, report.unsealed) == (late, unsealed)
    assert len(sealed_ids()) + unsealed == len(logged_ids())


def test_an_empty_log_has_no_seals_and_nothing_vouches_for_it():
    assert seal() == []
    assert newest_head().number == 0
    (found,) = verified().findings
    assert str(found).startswith("there are no seals, so nothing is known")


def test_rows_are_sealed_in_batches_and_once():
    filled(35)
    assert [one.rows for one in seal()] == [10, 10, 10, 5]
    assert seal() == seal(everything=True) == []
    assert sealed_ids() == logged_ids()
    saved(row(100))
    assert [(one.number, one.rows, one.late) for one in seal()] == [(5, 1, False)]
    assert_whole()


def test_a_row_that_is_younger_than_a_minute_waits():
    """One that was asked for before may not be committed yet."""
    saved(*(row(seconds) for seconds in (0, 30, 59, 61, 90)))
    now = BEGIN + timedelta(seconds=120)
    assert [one.rows for one in seal_at(now)] == [3]
    assert_whole(unsealed=2)
    assert [one.rows for one in seal_at(now + timedelta(seconds=60))] == [2]
    assert_whole()


LATE = {
    "a slow commit": 10,
    "a clock that was set back an hour": HOUR,
    "nearly a day": 23.9 * HOUR,
}


@pytest.mark.parametrize("seconds", LATE.values(), ids=LATE)
def test_a_row_that_comes_late_is_sealed_as_late(seconds):
    saved(*(row(48 * HOUR + number) for number in range(25)))
    seal()
    late = saved(*(row(48 * HOUR - seconds + number) for number in range(12)))
    assert [(one.rows, one.late) for one in seal()] == [(10, True), (2, True)]
    assert_whole(late=12)
    assert verified().first_late == late[0].id.bytes


def test_late_rows_between_sealed_ones_and_new_rows_are_sealed_in_one_run():
    sealed_log(25)
    saved(*(row(number + 0.5) for number in range(3)), *(row(100 + number) for number in range(12)))
    assert [(one.rows, one.late) for one in seal()] == [(3, True), (10, False), (2, False)]
    assert_whole(late=3)


def test_what_came_more_than_a_day_late_is_sealed_when_the_whole_log_is_looked_through():
    saved(row(48 * HOUR))
    seal()
    (late,) = saved(row(23 * HOUR))
    assert seal() == []
    assert str(verified().findings[0]).startswith(f"row {late.id}")
    assert [(one.rows, one.late) for one in seal(everything=True)] == [(1, True)]
    assert_whole(late=1)


@pytest.mark.parametrize("back", [HOUR, 24 * HOUR, 72 * HOUR], ids=["an hour", "a day", "three"])
def test_a_clock_that_stays_set_back_loses_nothing(back):
    wrong = BEGIN + timedelta(hours=100)
    saved(*(row(100 * HOUR - 100 + number) for number in range(15)))
    assert len(seal_at(wrong)) == 2
    right = wrong - timedelta(seconds=back)
    saved(*(row(100 * HOUR - back + number) for number in range(15)))
    made = [one.late for one in seal_at(right + timedelta(seconds=120))]
    assert made == [True, True]
    assert_whole(late=15)


def test_a_clock_that_was_ahead_for_a_while_raises_no_alarm():
    saved(row(0), row(HOUR))  # the second one is in the future
    assert [one.rows for one in seal_at(BEGIN + timedelta(seconds=70))] == [1]
    saved(row(80))
    assert_whole(unsealed=2)
    assert [one.rows for one in seal_at(BEGIN + timedelta(seconds=300))] == [1]
    assert_whole(unsealed=1)
    assert [one.rows for one in seal_at(BEGIN + timedelta(hours=2))] == [1]
    assert_whole()


def test_a_gap_of_days_between_two_runs_is_no_reason_to_miss_rows():
    saved(row(0))
    seal_at(BEGIN + DAY)
    saved(*(row(day * 24 * HOUR) for day in range(1, 9)))
    assert [one.rows for one in seal_at(BEGIN + 10 * DAY)] == [8]
    assert_whole()


def test_two_runs_at_once_seal_everything_once():
    filled(45)
    first = seal_rows(size=SIZE)
    assert next(first).number == 1
    assert [one.number for one in seal()] == [2, 3, 4, 5]
    with pytest.raises(SealedMeanwhile, match="batch 2 was sealed by somebody else"):
        next(first)
    assert sealed_ids() == logged_ids()
    assert_whole()


def test_two_runs_at_once_seal_late_rows_once():
    sealed_log(25)
    saved(*(row(number + 0.5) for number in range(20)))
    first = seal_rows(size=SIZE)
    assert next(first).number == 4
    assert [one.number for one in seal()] == [5]
    with pytest.raises(SealedMeanwhile):
        next(first)
    assert sealed_ids() == logged_ids()


def test_a_run_that_ends_between_batches_is_gone_on_with():
    filled(35)
    for _seal in seal_rows(size=SIZE):
        break
    assert [one.number for one in seal()] == [2, 3, 4]
    assert sealed_ids() == logged_ids()
    assert_whole()


def test_a_changed_key_seals_on_and_both_keys_verify(settings, tmp_path):
    sealed_log(15)
    old = signing_key()
    new = key_files.new_private_key()
    key_files.write_new_file(tmp_path / "new.key", key_files.private_key_pem(new))
    settings.SIGNING_KEY = str(tmp_path / "new.key")
    saved(*(row(100 + number) for number in range(5)))
    seal()
    for name, key in (("old.pem", old.private_key), ("new.pem", new)):
        (tmp_path / name).write_bytes(pem_of(key))
    both = ("--key", str(tmp_path / "new.pem"), "--key", str(tmp_path / "old.pem"))
    assert "20 rows compared with 3 seals" in command("verify_issuances", *both)
    status, out = failing("verify_issuances")
    assert status == 1
    assert out.startswith("batch 1: it is not signed by any of the keys that were given; it names")
    assert old.kid in out


def test_whole_months_that_were_pruned_raise_no_alarm():
    saved(*(row(number * 24 * HOUR) for number in range(40)))
    seal()
    first_to_stay = Issuance.objects.order_by("id")[31]
    record_pruned(first_to_stay.id, 31)
    Issuance.objects.filter(id__lt=first_to_stay.id).delete()
    report = verified()
    assert (report.findings, report.pruned) == ([], 31)
    saved(row(50 * 24 * HOUR))
    seal(everything=True)
    assert not verified().findings


def prune(*arguments):
    return command("prune_issuances", "--before", "2026-03-20", *arguments)


def test_what_is_pruned_is_archived_with_its_seals_and_no_alarm_is_raised(tmp_path, capsys):
    saved(*(row(number * 12 * HOUR) for number in range(60)))
    with pytest.raises(CommandError, match="not sealed yet; run manage"):
        seal_at(BEGIN + DAY)
        prune()
    assert Issuance.objects.count() == 60
    seal()
    assert "38 rows before 2026-03-20 are gone" in prune("--archive", str(tmp_path / "archive"))
    report = verified()
    assert (report.findings, report.pruned, report.rows) == ([], 38, 22)
    key = tmp_path / "key.pem"
    key.write_bytes(pem_of(signing_key().private_key))
    checked = 0
    for archive in (tmp_path / "archive").glob("*.gz"):
        beside = [f"--seals={archive}.seals.ndjson", f"--manifest={archive}.manifest.json"]
        assert main([f"--key={key}", f"--archive={archive}", *beside]) == 0, capsys.readouterr()
        checked += int(capsys.readouterr().out.split()[0])
    assert checked == 38


def test_nothing_is_noted_of_pruning_while_sealing_is_not_in_use():
    rows = filled(5)
    record_pruned(rows[3].id, 3)
    assert not SealedBatch.objects.exists()


def test_rows_are_written_and_sealed_and_compared_at_the_same_time():
    """What is written or sealed while the log is compared looks like no harm."""
    sealed_log(25)
    begun = False

    def more_meanwhile(execute, sql, *rest):
        nonlocal begun
        result = execute(sql, *rest)
        if not begun and 'FROM "issuances_issuance"' in sql:
            begun = True
            saved(row(3.5), row(60))
            seal()
        return result

    with connection.execute_wrapper(more_meanwhile):
        report = verified()
    assert begun
    assert (report.findings, report.late, report.seals) == ([], 1, 5)


def test_of_many_batches_only_those_around_are_read():
    rows = sealed_log(55)
    saved(row(4.5), row(44.5))
    seal(everything=True)
    saved(*(row(200 + number) for number in range(25)))
    seal()
    assert [one.late for one in SealedBatch.objects.order_by("number")] == [False] * 6 + [
        True,
        *[False] * 3,
    ]
    around = numbers_around
    assert around(rows[0].id, rows[0].id) == [1]
    assert sorted(around(rows[12].id, rows[13].id)) == [2, 7]
    assert sorted(around(rows[9].id, rows[30].id)) == [1, 2, 3, 4, 7]
    assert around(rows[54].id, rows[54].id) == [6]
    assert around(uuid7(BEGIN + DAY), uuid7(BEGIN + 2 * DAY)) == []
    assert sealed_ids() == logged_ids()


def test_sealing_writes_nothing_but_seals_and_locks_no_row():
    filled(25)
    written: list[str] = []

    def noted(execute, sql, *rest):
        if not sql.startswith(("SELECT", "SAVEPOINT", "RELEASE", "SET LOCAL jit")):
            written.append(sql)
        assert "FOR UPDATE" not in sql
        return execute(sql, *rest)

    with connection.execute_wrapper(noted):
        seal()
    assert len(written) == 3
    assert all(sql.startswith('INSERT INTO "issuances_sealedbatch"') for sql in written)


# The commands.
def command(name, *arguments):
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


def failing(name, *arguments):
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command(name, *arguments, stdout=out)
    return stopped.value.code, out.getvalue()


def test_the_commands_say_what_they_did():
    assert command("seal_issuances") == "there is nothing to seal\n"
    filled(3)
    out = command("seal_issuances")
    head = newest_head()
    assert out == f"sealed 3 rows in batch 1\nhead {head}\n"
    saved(row(1.5))
    assert "sealed 1 row, which came late, in batch 2" in command("seal_issuances")
    out = command("verify_issuances", "--expect-head", f"{head.number}:{head.hash}")
    assert out.startswith("4 rows compared with 2 seals\nsealed late, after later ones: 1 row")


def test_the_commands_speak_to_programs():
    filled(3)
    said = json.loads(command("seal_issuances", "--all", "--json"))
    head = newest_head()
    assert (said["rows"], said["batches"], said["late"]) == (3, 1, 0)
    assert (said["head"]["number"], said["head"]["hash"]) == (1, head.hash)
    assert head.sealed_at is not None
    assert said["head"]["sealed_at"] == time_text(head.sealed_at)
    said = json.loads(command("verify_issuances", "--json"))
    assert (said["ok"], said["rows"], said["head"]["hash"]) == (True, 3, head.hash)
    Issuance.objects.all().delete()
    status, out = failing("verify_issuances", "--json")
    found = json.loads(out)["findings"][0]
    assert (status, found["kind"], found["rows"]) == (1, "removed", 3)


def test_without_a_key_nothing_is_sealed_or_verified(settings, tmp_path):
    filled(3)
    settings.SIGNING_KEY = str(tmp_path / "none")
    with pytest.raises(CommandError, match="cannot be read"):
        command("seal_issuances")
    assert not SealedBatch.objects.exists()
    for arguments in ((), ("--key", str(tmp_path / "none"))):
        with pytest.raises(CommandError) as error:
            command("verify_issuances", *arguments)
        assert error.value.returncode == 2


def test_a_database_that_is_away_is_no_finding(tmp_path):
    folder = tmp_path / "service"
    folder.mkdir()
    with Service(folder) as service:
        service.environment["REGISTRY_TOKEN_DATABASE_URL"] = "postgres://nobody@127.0.0.1:1/none"
        found = service.manage("verify_issuances", check=False)
    assert (found.returncode, found.stdout) == (2, "")
    assert "Traceback" not in found.stderr
    assert "connection" in found.stderr


def test_who_verifies_may_give_the_answer_of_jwks(client, tmp_path):
    sealed_log(5)
    (tmp_path / "jwks.json").write_bytes(client.get("/jwks").content)
    assert "5 rows compared" in command("verify_issuances", "--key", str(tmp_path / "jwks.json"))
    assert len(own_keys()) == 1


_FILL = """
import os, django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry_token.settings")
django.setup()
from tests.log_rows import row, saved
saved(*(row(number / 100) for number in range(12_000)))
"""


@pytest.fixture
def large_log(tmp_path):
    """A database of its own with 12,000 rows, for commands as processes."""
    service = Service(tmp_path)
    service.manage("migrate", "--verbosity", "0")
    subprocess.run([sys.executable, "-c", _FILL], cwd=BASE_DIR, env=service.environment, check=True)
    yield service
    service.__exit__()


def started(service, *arguments):
    program = [sys.executable, str(BASE_DIR / "manage.py"), *arguments]
    return subprocess.Popen(
        program, env=service.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_run_that_is_killed_loses_and_doubles_nothing(large_log):
    run = started(large_log, "seal_issuances")
    line = run.stdout.readline()
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert (run.returncode, line) == (-signal.SIGKILL, "sealed 10,000 rows in batch 1\n")
    large_log.manage("seal_issuances")
    said = json.loads(large_log.manage("verify_issuances", "--json").stdout)
    assert (said["ok"], said["rows"], said["seals"], said["unsealed"]) == (True, 12_000, 2, 0)


def test_runs_of_several_processes_at_once_seal_everything_once(large_log):
    runs = [started(large_log, "seal_issuances") for _ in range(3)]
    outputs = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], outputs
    large_log.manage("seal_issuances")
    said = json.loads(large_log.manage("verify_issuances", "--json").stdout)
    assert (said["ok"], said["rows"], said["unsealed"], said["late"]) == (True, 12_000, 0, 0)


_WRITE = """
import os, random, django
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry_token.settings")
django.setup()
from tests.log_rows import row, saved
for number in range(500):
    saved(row(500 + number / 10 + random.uniform(-60, 0)))
"""


def test_writers_at_work_while_the_log_is_sealed_and_compared(large_log):
    """Their rows are committed in no order of the ids."""
    program = [sys.executable, "-c", _WRITE]
    writers = [subprocess.Popen(program, cwd=BASE_DIR, env=large_log.environment) for _ in range(2)]
    while any(writer.poll() is None for writer in writers):
        large_log.manage("seal_issuances", "--all")
    assert [writer.returncode for writer in writers] == [0, 0]
    large_log.manage("seal_issuances", "--all")
    said = json.loads(large_log.manage("verify_issuances", "--json").stdout)
    assert (said["ok"], said["rows"], said["unsealed"]) == (True, 13_000, 0)
