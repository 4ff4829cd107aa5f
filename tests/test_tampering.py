"""Whatever somebody with the database does to sealed rows or their seals is found and named."""

from __future__ import annotations

import base64
import dataclasses
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection

from issuances.encoding import line_of
from issuances.identifiers import LAST_ID, time_of, uuid7
from issuances.models import Issuance, SealedBatch
from issuances.sealing import merkle
from issuances.sealing.making import newest_head
from issuances.sealing.sealed import StoredSeals
from issuances.sealing.seals import hash_of
from issuances.statements import SEAL
from registry_token import key_files
from registry_token.service_seals import record_pruned
from registry_token.signing import signing_key
from tests.log_rows import BEGIN, resource, row, saved
from tests.sealed_log import change, change_batch, insert_batch, seal, sealed_log, verified

pytestmark = pytest.mark.django_db


def words(one):
    """How a message names a row."""
    return f"row {one.id} ({time_of(one.id):%Y-%m-%d %H:%M:%S.%f} UTC)"


def test_an_untouched_log_is_whole():
    sealed_log()
    report = verified()
    assert not report.findings
    assert (report.rows, report.seals, report.unsealed, report.late) == (35, 4, 0, 0)


FIELDS = {
    "created_at": lambda one: one.created_at + timedelta(microseconds=1),
    "request_id": lambda one: "another",
    "subject": lambda one: one.subject.upper(),
    "client_id": lambda one: "",
    "tenant": lambda one: "t ",
    "plan": lambda one: "Enterprise",
    "licence": lambda one: "LIC-2",
    "service": lambda one: "mirror.example.com",
    "requested": lambda one: [*one.requested, resource("acme/secret", "pull")],
    "granted": lambda one: [resource("acme/app", "pull", "push")],
    "jti": lambda one: uuid7(one.created_at),
    "expires_at": lambda one: one.expires_at + timedelta(microseconds=1),
    "refusal": lambda one: "licence_revoked",
    "catalogue_revision": lambda one: 2,
    "caller_jti": lambda one: "C",
    "remote_address": lambda one: "192.0.2.8",
    "user_agent": lambda one: "docker",
}


@pytest.mark.parametrize("field", FIELDS)
def test_each_field_of_a_row_is_sealed(field):
    rows = sealed_log()
    one = rows[17 if field == "refusal" else 16]
    change(one, **{field: FIELDS[field](one)})
    (found,) = verified().findings
    assert (found.kind, found.batch, found.rows) == ("altered", 2, 1)
    assert str(found) == f"{words(one)} was altered after it was sealed in batch 2"


def test_no_field_is_left_out():
    assert FIELDS.keys() | {"id"} == {field.name for field in Issuance._meta.concrete_fields}


REMOVED = {
    "the first of all": range(1),
    "the first of a batch": range(10, 11),
    "one in a batch": range(15, 16),
    "the last of a batch": range(19, 20),
    "a batch": range(10, 20),
    "the newest": range(34, 35),
    "the newest batch": range(30, 35),
    "half": range(0, 35, 2),
    "all": range(35),
}


@pytest.mark.parametrize("which", REMOVED.values(), ids=REMOVED)
def test_removed_rows_are_missed(which):
    rows = sealed_log()
    gone = [rows[number] for number in which]
    Issuance.objects.filter(id__in=[one.id for one in gone]).delete()
    findings = verified().findings
    assert {found.kind for found in findings} == {"removed"}
    assert sum(found.rows for found in findings) == len(gone)
    assert str(findings[0]).startswith(
        f"{words(gone[0])} of batch {which[0] // 10 + 1} was removed"
    )


@pytest.mark.parametrize("second", [0.5, 9.5, 15.5, 33.5])
def test_an_inserted_row_is_named(second):
    sealed_log()
    (forged,) = saved(row(second))
    (found,) = verified().findings
    assert found.kind == "inserted"
    assert str(found).startswith(f"{words(forged)} is not sealed, but later rows are")


def test_a_row_that_is_inserted_before_all_others_is_named():
    sealed_log()
    (forged,) = saved(row(-86400 * 365))
    assert str(verified().findings[0]).startswith(words(forged))


def test_an_inserted_row_that_was_sealed_afterwards_is_known_as_late():
    """It cannot be told from a row that came late, but it is shown, with when it was sealed."""
    sealed_log()
    (forged,) = saved(row(15.5))
    assert [(one.late, one.rows) for one in seal(everything=True)] == [(True, 1)]
    report = verified()
    assert not report.findings
    assert (report.late, report.first_late) == (1, forged.id.bytes)
    said = f"sealed late, after later ones: 1 row, the first {words(forged)[4:]}"
    assert said in report.lines()


IN_SQLITE = {
    "an id in capitals": "id = substr(id, 1, 8) || upper(substr(id, 9))",
    "an id with hyphens": "id = substr(id, 1, 31) || '-' || substr(id, 32)",
    "a name twice": 'requested = replace(requested, \'"name":\', \'"name": "evil", "name":\')',
}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps values, not texts")
@pytest.mark.parametrize("changed", IN_SQLITE.values(), ids=IN_SQLITE)
def test_another_text_for_the_same_value_is_found(changed):
    rows = sealed_log()
    with connection.cursor() as cursor:
        sql = f"UPDATE issuances_issuance SET {changed} WHERE id = %s"
        cursor.execute(sql, [rows[13].id.hex])
    assert f"{words(rows[13])} was altered after it was sealed in batch 2" in str(
        [str(found) for found in verified().findings]
    )


def test_two_rows_with_exchanged_contents_are_both_named():
    rows = sealed_log()
    change(rows[3], subject=rows[21].subject)
    change(rows[21], subject=rows[3].subject)
    first, second = verified().findings
    assert (first.row, second.row) == (rows[3].id.bytes, rows[21].id.bytes)


def test_rows_with_exchanged_ids_are_named():
    rows = sealed_log()
    free = uuid7(BEGIN)
    for old, new in ((rows[0].id, free), (rows[1].id, rows[0].id), (free, rows[1].id)):
        Issuance.objects.filter(id=old).update(id=new)
    (found,) = verified().findings
    assert (found.kind, found.row, found.rows) == ("altered", rows[0].id.bytes, 2)


def test_a_row_that_is_moved_in_time_is_missed_there_and_found_here():
    rows = sealed_log()
    new = uuid7(BEGIN + timedelta(seconds=3.5))
    Issuance.objects.filter(id=rows[20].id).update(id=new)
    assert {(found.kind, found.row) for found in verified().findings} == {
        ("removed", rows[20].id.bytes),
        ("inserted", new.bytes),
        ("retimed", new.bytes),
    }


IN_SQLITE_UNREADABLE = {
    "bytes": "subject = x'ff00'",
    "no UTF-8": "subject = CAST(x'ff' AS TEXT)",
    "no digits": "id = substr(id, 1, 30) || 'zz'",
}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps values, not texts")
@pytest.mark.parametrize("changed", IN_SQLITE_UNREADABLE.values(), ids=IN_SQLITE_UNREADABLE)
def test_what_the_service_never_writes_is_a_finding(changed):
    rows = sealed_log()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE issuances_issuance SET {changed} WHERE id = %s", [rows[13].id.hex])
    (found,) = verified().findings
    assert "never writes, and was altered or inserted" in str(found)


def test_a_row_that_lies_in_the_future_is_a_finding_as_no_seal_reaches_it():
    sealed_log()
    ahead = saved(row((datetime.now(UTC) - BEGIN + timedelta(days=365)).total_seconds()))[0]
    seal(everything=True)
    (found,) = verified().findings
    assert (found.kind, found.row) == ("future", ahead.id.bytes)
    Issuance.objects.filter(id=ahead.id).update(id=LAST_ID, created_at=BEGIN)
    assert {(found.kind, found.row) for found in verified().findings} == {("future", LAST_ID.bytes)}


@pytest.mark.parametrize("is_sealed", [True, False])
def test_a_row_whose_id_has_another_time_was_not_written_by_the_service(is_sealed):
    sealed_log()
    forged = row(100)
    forged.created_at -= timedelta(days=30)
    saved(forged)
    if is_sealed:
        seal()
    (found,) = verified().findings
    assert (found.kind, found.row) == ("retimed", forged.id.bytes)
    assert f"{words(forged)} says another time than its id" in str(found)


def test_what_a_finding_shows_moves_no_cursor():
    sealed_log()
    change_batch(2, kind="\x1b[2J\x1b[H")
    (found,) = verified().findings
    assert str(found).isprintable()
    assert "\\x1b[2J" in str(found)


OUT_OF_RANGE = {
    "beyond the last id": "'zz' || substr(id, 3)",
    "bytes": "x'00ff'",
    "nothing": "''",
}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps values, not texts")
@pytest.mark.parametrize("row_id", OUT_OF_RANGE.values(), ids=OUT_OF_RANGE)
def test_a_row_whose_id_no_search_finds_is_a_finding(row_id):
    rows = sealed_log()
    with connection.cursor() as cursor:
        copy = "CREATE TEMP TABLE copy AS SELECT * FROM issuances_issuance WHERE id = %s"
        cursor.execute(copy, [rows[14].id.hex])  # refused: it has no jti, of which there is one
        cursor.execute(f"UPDATE copy SET id = {row_id}")
        cursor.execute("INSERT INTO issuances_issuance SELECT * FROM copy")
        cursor.execute("DROP TABLE copy")
    (found,) = verified().findings
    assert "no id that the service makes" in str(found)


MEANWHILE = {
    "without ids": lambda: change_batch(2, ids=b""),
    "other leaves": lambda: change_batch(2, leaves=bytes(32)),
    "gone": lambda: SealedBatch.objects.filter(number=2).delete(),
}


@pytest.mark.parametrize("happens", MEANWHILE.values(), ids=MEANWHILE)
def test_a_batch_that_changes_while_it_is_compared_is_named(monkeypatch, happens):
    sealed_log()
    load = StoredSeals.load

    def meanwhile(seals, number):
        if number == 2:
            happens()
        return load(seals, number)

    monkeypatch.setattr(StoredSeals, "load", meanwhile)
    assert any("batch 2" in str(found) for found in verified().findings)


# Seals.
def flipped(blob, at=0):
    return blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :]


def claims_of(statement):
    return json.loads(base64.urlsafe_b64decode(statement.split(".")[1] + "=="))


def batch(number):
    return SealedBatch.objects.get(number=number)


def with_other_claims(statement, **claims):
    """The signature of the old ones stays."""
    header, _payload, signature = statement.split(".")
    encoded = json.dumps(claims_of(statement) | claims, separators=(",", ":")).encode()
    return ".".join((header, base64.urlsafe_b64encode(encoded).decode().rstrip("="), signature))


def exchange(first, second, *names):
    one, other = batch(first), batch(second)
    change_batch(first, **{name: getattr(other, name) for name in names})
    change_batch(second, **{name: getattr(one, name) for name in names})


def sign_again(number, key):
    other = dataclasses.replace(signing_key(), private_key=key)
    said = claims_of(batch(number).statement)
    change_batch(number, statement=other.sign_statement(said, typ=SEAL))


def renumber(old, new):
    assert SealedBatch.objects.filter(number=old).update(number=new) == 1


ALL = ("statement", "ids", "leaves", "first_id", "last_id", "rows", "sealed_at", "kind", "late")
EDITED = {
    "the statement's root": (
        lambda: change_batch(2, statement=with_other_claims(batch(2).statement, root="00" * 32)),
        "batch 2: it is not signed by any of the keys",
    ),
    "the statement's previous": (
        lambda: change_batch(2, statement=with_other_claims(batch(2).statement, previous="")),
        "batch 2: it is not signed by any of the keys",
    ),
    "no statement": (
        lambda: change_batch(2, statement=""),
        "batch 2: this is no signed statement",
    ),
    "an id": (lambda: change_batch(2, ids=flipped(batch(2).ids, 20)), "batch 2: the ids"),
    "an id less": (lambda: change_batch(2, ids=batch(2).ids[16:]), "batch 2: the ids"),
    "no ids": (lambda: change_batch(2, ids=None), "batch 2: the ids"),
    "a leaf": (lambda: change_batch(2, leaves=flipped(batch(2).leaves)), "batch 2: the hashes"),
    "a leaf less": (lambda: change_batch(2, leaves=batch(2).leaves[32:]), "batch 2: the hashes"),
    "no leaves": (lambda: change_batch(2, leaves=None), "batch 2: the hashes"),
    "two leaves exchanged": (
        lambda: change_batch(
            2, leaves=batch(2).leaves[32:64] + batch(2).leaves[:32] + batch(2).leaves[64:]
        ),
        "batch 2: the hashes",
    ),
    "ids and leaves of another": (
        lambda: exchange(2, 3, "ids", "leaves"),
        "batch 2: the ids",
    ),
    "the first id": (
        lambda: change_batch(2, first_id=uuid7(BEGIN)),
        "batch 2: first_id was changed",
    ),
    "the last id": (lambda: change_batch(2, last_id=UUID(int=0)), "batch 2: last_id was changed"),
    "the number of rows": (lambda: change_batch(2, rows=9), "batch 2: rows was changed"),
    "the time": (
        lambda: change_batch(2, sealed_at=BEGIN),
        "batch 2: sealed_at was changed",
    ),
    "late": (lambda: change_batch(2, late=True), "batch 2: late was changed"),
    "the kind": (lambda: change_batch(2, kind="pruned"), "batch 2: kind was changed"),
    "the number": (lambda: renumber(2, 9), "batch 2 is missing"),
    "the last one's number": (lambda: renumber(4, 5), "batch 4 is missing"),
    "the number, to nothing": (lambda: renumber(1, 0), "batch 0 stands where batch 1 should"),
    "the first dropped": (lambda: batch(1).delete(), "batch 1 is missing"),
    "one dropped": (lambda: batch(2).delete(), "batch 2 is missing"),
    "two dropped": (
        lambda: SealedBatch.objects.filter(number__in=(2, 3)).delete(),
        "batch 2 is missing, so are those up to 3",
    ),
    "one dropped, the others moved up": (
        lambda: (batch(2).delete(), renumber(3, 2), renumber(4, 3)),
        "batch 2: its seal is that of batch 3",
    ),
    "two exchanged": (lambda: exchange(2, 3, *ALL), "batch 2: its seal is that of batch 3"),
    "one twice": (
        lambda: insert_batch(number=5, **{name: getattr(batch(4), name) for name in ALL}),
        "batch 5: its seal is that of batch 4",
    ),
    "another key": (
        lambda: sign_again(3, key_files.new_private_key()),
        "batch 3: it is not signed by any of the keys",
    ),
}


@pytest.mark.parametrize(("edit", "said"), EDITED.values(), ids=EDITED)
def test_what_is_done_to_a_seal_names_its_batch(edit, said):
    sealed_log()
    edit()
    findings = verified().findings
    assert str(findings[0]).startswith(said)
    assert {found.kind for found in findings} == {"batch"}


def test_a_seal_that_was_signed_anew_breaks_the_chain():
    """What even the key does not help to hide, unless all seals since are made anew."""
    rows = sealed_log()
    change(rows[12], subject="mallory")
    one, said = batch(2), claims_of(batch(2).statement)
    leaf = merkle.leaf_hash(line_of(Issuance.objects.get(id=rows[12].id)))
    leaves = bytes(one.leaves)[: 2 * 32] + leaf + bytes(one.leaves)[3 * 32 :]
    hashes = [leaves[at : at + 32] for at in range(0, len(leaves), 32)]
    said["root"] = merkle.root_of(hashes).hex()
    statement = signing_key().sign_statement(said, typ=SEAL)
    change_batch(2, leaves=leaves, statement=statement)
    (found,) = verified().findings
    assert str(found) == "batch 3: it does not follow batch 2 as that is now"


def test_a_harmed_seal_does_not_hide_what_happened_to_other_rows():
    rows = sealed_log()
    change_batch(2, leaves=b"")
    change(rows[25], plan="x")
    assert [found.kind for found in verified().findings] == ["batch", "altered"]


def test_cut_off_seals_are_found_by_a_head_that_was_noted_down():
    sealed_log()
    head = newest_head()
    batch(4).delete()
    report = verified()
    assert (report.findings, report.unsealed) == ([], 5)
    (found,) = verified(head=(head.number, head.hash)).findings
    assert str(found) == "batch 4 was noted down, the last one is 3: seals were cut off"


def test_another_history_is_found_by_a_head_that_was_noted_down():
    sealed_log()
    head = newest_head()
    earlier = (2, hash_of(batch(2).statement))
    SealedBatch.objects.all().delete()
    seal()
    assert not verified().findings
    for noted in ((head.number, head.hash), earlier):
        (found,) = verified(head=noted).findings
        assert str(found) == f"batch {noted[0]} is another than was noted down"


def test_a_head_that_was_noted_down_long_ago_still_holds():
    sealed_log()
    noted = (2, hash_of(batch(2).statement))
    saved(row(100))
    seal()
    assert not verified(head=noted).findings


def test_an_emptied_table_of_seals_says_nothing_of_the_rows():
    sealed_log()
    head = newest_head()
    SealedBatch.objects.all().delete()
    assert verified(head=(head.number, head.hash)).findings
    report = verified()
    assert (report.seals, report.rows, report.unsealed) == (0, 0, 35)
    assert str(report.findings[0]).startswith("there are no seals, so nothing is known")


# Pruning.
def test_pruned_rows_are_no_finding_and_others_are():
    rows = sealed_log()
    record_pruned(rows[15].id, 15)
    Issuance.objects.filter(id__lt=rows[15].id).delete()
    report = verified()
    assert (report.findings, report.pruned, report.rows) == ([], 15, 20)
    Issuance.objects.filter(id__in=[rows[15].id, rows[30].id]).delete()
    assert [(one.kind, one.row) for one in verified().findings] == [
        ("removed", rows[15].id.bytes),
        ("removed", rows[30].id.bytes),
    ]


def test_a_seal_of_pruning_covers_only_what_was_sealed_before_it():
    rows = sealed_log()
    record_pruned(rows[15].id, 15)
    (late,) = saved(row(1.5))
    seal(everything=True)
    Issuance.objects.filter(id=late.id).delete()
    (found,) = verified().findings
    assert (found.kind, found.row, found.batch) == ("removed", late.id.bytes, 6)


def test_a_seal_of_pruning_cannot_be_changed():
    rows = sealed_log()
    record_pruned(rows[15].id, 15)
    one = batch(5)
    change_batch(5, statement=with_other_claims(one.statement, before=str(UUID(int=2**128 - 1))))
    assert str(verified().findings[0]).startswith("batch 5: it is not signed")
    change_batch(5, statement=one.statement, rows=14)
    assert str(verified().findings[0]).startswith("batch 5: rows was changed")
