"""Files of rows and seals, and proofs, verified with the public key alone."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from io import StringIO
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from issuances.encoding import line_of, time_text
from issuances.exporting.exports import NDJSON, lines_of
from issuances.finding.filtered import Filtered
from issuances.models import Issuance
from issuances.sealing import proofs
from issuances.sealing.making import newest_head
from issuances.sealing.sealed import proof_for
from issuances.statements import MANIFEST, keys_in
from issuances.verify import main
from registry_token import key_files
from registry_token.config_values import BASE_DIR
from registry_token.service_seals import record_pruned
from registry_token.signing import signing_key
from tests.log_rows import BEGIN, row, saved
from tests.sealed_log import SIZE, seal, sealed_log
from tests.test_statements import pem_of

pytestmark = pytest.mark.django_db


class Files:
    """A log's rows in a file, its seals in another, the public key in a third."""

    def __init__(self, folder):
        self.rows, self.seals = folder / "rows.ndjson", folder / "seals.ndjson"
        self.key, self.manifest = folder / "public.pem", folder / "rows.manifest.json"
        self.key.write_bytes(pem_of(signing_key().private_key))

    def write(self, **export):
        lines = [line for _, line in lines_of(Filtered(), NDJSON)]
        self.rows.write_text("".join(lines))
        call_command("export_seals", "--out", self.seals, stdout=StringIO(), **export)

    def write_seals(self):
        self.seals.unlink()
        call_command("export_seals", "--out", self.seals, stdout=StringIO())

    def lines(self):
        return self.rows.read_bytes().splitlines(keepends=True)

    def change(self, edit):
        self.rows.write_bytes(b"".join(edit(self.lines())))

    def change_seals(self, edit):
        lines = edit([json.loads(line) for line in self.seals.read_text().splitlines()])
        self.seals.write_text("".join(json.dumps(line) + "\n" for line in lines))

    def sign_manifest(self, **other):
        lines = self.lines()
        ids = [json.loads(line)["id"] for line in lines]
        data = b"".join(lines)
        said = {"rows": len(lines), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        said |= {"first_id": ids[0], "last_id": ids[-1], "created_at": time_text(BEGIN)} | other
        statement = signing_key().sign_statement(said, typ=MANIFEST)
        self.manifest.write_text(json.dumps(said | {"statement": statement}))


@pytest.fixture
def files(tmp_path):
    sealed_log()
    files = Files(tmp_path)
    files.write()
    return files


@pytest.fixture
def verify(files, capsys):
    """Exit status and output of the verifier; it needs no database."""

    def run(*arguments, **options):
        named = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        with connection.execute_wrapper(no_queries):
            status = main(["--key", str(files.key), *map(str, arguments), *named])
        captured = capsys.readouterr()
        return status, captured.out + captured.err

    return run


def no_queries(*_):
    raise AssertionError("the verifier asked the database")


def test_whole_files_are_whole(files, verify):
    files.sign_manifest()
    for options in ({"file": files.rows}, {"archive": files.rows}, {}):
        status, said = verify(seals=files.seals, **options)
        assert status == 0, said
        assert "head 4:" in said
    for kind in ("file", "archive"):
        options = {kind: files.rows, "manifest": files.manifest}
        status, said = verify(seals=files.seals, **options)
        assert (status, "35 rows compared with 4 seals" in said) == (0, True)


def test_it_runs_as_a_program_with_nothing_but_the_key(files):
    program = [sys.executable, "-m", "issuances.verify", "--key", files.key]
    program += ["--seals", files.seals, "--archive", files.rows]
    done = subprocess.run(program, cwd=BASE_DIR, env={}, capture_output=True, check=False)
    assert (done.returncode, b"35 rows compared" in done.stdout) == (0, True), done.stderr
    without_django = "import sys, issuances.verify; sys.exit('django' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", without_django], cwd=BASE_DIR, env={}, check=False)
    assert done.returncode == 0


def test_a_file_in_csv_is_no_file_of_rows(files, verify):
    files.rows.write_text("id,created_at,request_id\n")
    status, said = verify(seals=files.seals, file=files.rows)
    assert (status, said.strip()) == (
        2,
        f"{files.rows} is CSV; seals are compared with NDJSON: export with --format ndjson",
    )


def test_a_packed_archive_is_read(files, verify):
    files.rows.write_bytes(gzip.compress(files.rows.read_bytes()))
    assert verify(seals=files.seals, archive=files.rows)[0] == 0
    files.rows.write_bytes(files.rows.read_bytes()[:-20])
    status, said = verify(seals=files.seals, archive=files.rows)
    assert (status, "the file is damaged" in said) == (2, True)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_an_archive_that_does_not_unpack_is_said_to_be_damaged(files, verify, place):
    files.sign_manifest()
    packed = bytearray(gzip.compress(files.rows.read_bytes()))
    packed[int(len(packed) * place)] ^= 0xFF
    files.rows.write_bytes(packed)
    for options in ({}, {"manifest": files.manifest}):
        status, said = verify(seals=files.seals, archive=files.rows, **options)
        assert (status, "the file is damaged" in said) == (2, True), said


def test_a_few_bytes_that_unpack_to_a_huge_line_take_little_memory(files):
    size = 200_000_000
    with gzip.open(files.rows, "wb") as file:
        for _ in range(size // 1_000_000):
            file.write(bytes(1_000_000))
    limit = f"import resource as r; r.setrlimit(r.RLIMIT_AS, ({size}, {size}))"
    main = "from issuances.verify import main; raise SystemExit(main())"
    given = [f"--{name}={getattr(files, name)}" for name in ("key", "seals")]
    done = subprocess.run(
        [sys.executable, "-c", f"{limit}; {main}", *given, f"--file={files.rows}"],
        cwd=BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "rows.ndjson, line 1: this is no row" in done.stdout


def test_a_file_of_something_else_is_not_repeated_line_by_line(files, verify):
    files.rows.write_bytes(b"{}\n" * 500)
    status, said = verify(seals=files.seals, file=files.rows)
    assert (status, said.count("this is no row")) == (1, 100)
    assert "in all there are 500 such lines" in said


def flip(lines):
    return [*lines[:12], lines[12].replace(b"subject-12", b"subject-21"), *lines[13:]]


def blanks(lines):
    return [*lines[:12], lines[12].replace(b'":"', b'": "', 1), *lines[13:]]


HARM = {
    "a text": (flip, "was altered after it was sealed in batch 2"),
    "a blank": (blanks, "was altered after it was sealed in batch 2"),
    "a line less": (lambda lines: lines[:12] + lines[13:], "of batch 2 was removed"),
    "a line twice": (
        lambda lines: [*lines[:12], lines[11], *lines[12:]],
        "rows.ndjson, line 13: row",
    ),
    "two lines exchanged": (
        lambda lines: [*lines[:12], lines[13], lines[12], *lines[14:]],
        "rows.ndjson, line 14: row",
    ),
    "a line of something else": (
        lambda lines: [*lines[:12], b"{}\n", *lines[12:]],
        "rows.ndjson, line 13: this is no row",
    ),
    "the last line cut off": (
        lambda lines: [*lines[:-1], lines[-1][:-1]],
        "rows.ndjson, line 35: the line is cut off",
    ),
    "a new line": (
        lambda lines: [*lines[:12], line_of(row(11.5)) + b"\n", *lines[12:]],
        "is not sealed, but later rows are",
    ),
}


@pytest.mark.parametrize(("edit", "said"), HARM.values(), ids=HARM)
def test_a_changed_archive_is_found(files, verify, edit, said):
    files.sign_manifest()
    files.change(edit)
    for beside in ({}, {"manifest": files.manifest}):
        status, out = verify(seals=files.seals, archive=files.rows, **beside)
        assert (status, said in out) == (1, True), out


@pytest.mark.parametrize("name", [name for name in HARM if name != "a line less"])
def test_a_changed_export_is_found(files, verify, name):
    edit, said = HARM[name]
    files.change(edit)
    status, out = verify(seals=files.seals, file=files.rows)
    assert (status, said in out) == (1, True), out


def test_an_export_may_be_a_selection_but_its_manifest_says_of_what(files, verify):
    files.change(lambda lines: lines[::2])
    assert verify(seals=files.seals, file=files.rows)[0] == 0
    files.sign_manifest()
    assert verify(seals=files.seals, file=files.rows, manifest=files.manifest)[0] == 0
    files.change(lambda lines: lines[1:])
    status, out = verify(seals=files.seals, file=files.rows, manifest=files.manifest)
    assert (status, "was cut off" in out) == (1, True), out


@pytest.mark.parametrize("gone", [0, -1])
def test_an_archive_without_its_first_or_last_row_is_found_by_its_manifest(files, verify, gone):
    files.sign_manifest()
    missing = json.loads(files.lines()[gone])["id"]
    files.change(lambda lines: lines[1:] if gone == 0 else lines[:-1])
    status, out = verify(seals=files.seals, archive=files.rows, manifest=files.manifest)
    assert status == 1
    assert "rows.ndjson is not the file of the manifest" in out
    assert f"row {missing}" in out


MANIFESTS = {
    "a number": ("rows", 34),
    "the checksum": ("sha256", "00" * 32),
    "the first id": ("first_id", str(UUID(int=0))),
    "one more": ("more", 1),
    "the statement": ("statement", "a.b.c"),
    "no statement": ("statement", None),
}


@pytest.mark.parametrize(("name", "value"), MANIFESTS.values(), ids=MANIFESTS)
def test_a_changed_manifest_is_found(files, verify, name, value):
    files.sign_manifest()
    files.manifest.write_text(json.dumps(json.loads(files.manifest.read_text()) | {name: value}))
    status, out = verify(seals=files.seals, file=files.rows, manifest=files.manifest)
    assert status == 2
    assert "shows something else" in out or "statement" in out


def test_a_manifest_has_no_name_twice(files, verify):
    files.sign_manifest()
    twice = files.manifest.read_text().replace("{", '{"rows": 999999, ', 1)
    files.manifest.write_text(twice)
    status, out = verify(file=files.rows, manifest=files.manifest)
    assert (status, "is no manifest" in out) == (2, True), out


def test_a_manifest_alone_says_what_was_asked_for(files, verify):
    files.sign_manifest(filter={"subject": "subject-1"}, until="2026-04-01T00:00:00.000000Z")
    status, out = verify(file=files.rows, manifest=files.manifest)
    assert status == 0
    assert "35 rows, as the manifest of 2026-03-01T00:00:00.000000Z says" in out
    assert 'asked for: {"filter": {"subject": "subject-1"}, "until": "2026-04-01' in out


def test_a_manifest_shows_nothing_but_what_was_signed(files, verify):
    files.sign_manifest()
    signed = json.loads(files.manifest.read_text())
    statement = signed.pop("statement")
    shown = {"manifest": signed, "rows": 9, "statement": statement}
    files.manifest.write_text(json.dumps(shown))
    status, out = verify(seals=files.seals, file=files.rows, manifest=files.manifest)
    assert (status, "shows something else than what was signed" in out) == (2, True), out


SEALS = {
    "one less": (lambda lines: lines[:1] + lines[2:], "batch 2 is missing"),
    "the first less": (lambda lines: lines[1:], "batch 1 is missing"),
    "exchanged": (
        lambda lines: [lines[0], lines[2], lines[1], lines[3]],
        "batch 2 is missing",
    ),
    "renumbered": (
        lambda lines: [lines[0], lines[2] | {"number": 2}, lines[1] | {"number": 3}, lines[3]],
        "batch 2: its seal is that of batch 3",
    ),
    "one twice": (lambda lines: [*lines[:2], *lines[1:]], "batch 2 stands twice"),
    "one again, with nothing in it": (
        lambda lines: [*lines, lines[1] | {"ids": "", "leaves": ""}],
        "batch 2 stands twice",
    ),
    "other leaves": (
        lambda lines: [lines[0], lines[1] | {"leaves": lines[2]["leaves"]}, *lines[2:]],
        "batch 2: the hashes of its rows were changed",
    ),
}


@pytest.mark.parametrize(("edit", "said"), SEALS.values(), ids=SEALS)
def test_changed_seals_are_found(files, verify, edit, said):
    files.change_seals(edit)
    status, out = verify(seals=files.seals, archive=files.rows)
    assert (status, out.startswith(said)) == (1, True), out


def test_seals_that_were_cut_off_are_found_by_a_head(files, verify):
    head = newest_head()
    assert verify(seals=files.seals, expect_head=head)[0] == 0
    files.change_seals(lambda lines: lines[:-1])
    assert verify(seals=files.seals, file=files.rows)[0] == 0
    status, out = verify(seals=files.seals, file=files.rows, expect_head=head)
    assert (status, "batch 4 was noted down, the last one is 3" in out) == (1, True)


def test_seals_of_a_time_have_the_whole_chain_but_only_the_hashes_of_that_time(
    files, verify, tmp_path
):
    times = ("--from", "2026-03-01T00:00:10", "--until", "2026-03-01T00:00:19.5+00:00")
    files.seals.unlink()
    call_command("export_seals", "--out", files.seals, *times, stdout=StringIO())
    kept = [json.loads(line)["ids"] is not None for line in files.seals.read_text().splitlines()]
    assert kept == [False, True, False, False]
    whole = files.lines()
    files.change(lambda lines: lines[10:20])
    for kind in ("archive", "file"):
        assert verify(seals=files.seals, **{kind: files.rows})[0] == 0
    files.rows.write_bytes(b"".join(flip(whole)))
    status, out = verify(seals=files.seals, archive=files.rows)
    assert (status, "not checked, as their hashes are left out: 25 rows" in out) == (1, True), out
    assert "was altered after it was sealed in batch 2" in out


@pytest.mark.parametrize("kind", ["archive", "file"])
def test_seals_without_hashes_vouch_for_nothing(files, verify, kind):
    files.change(flip)
    files.change_seals(lambda seals: [one | {"ids": None, "leaves": None} for one in seals])
    status, out = verify(seals=files.seals, **{kind: files.rows})
    assert (status, "35 of its rows cannot be checked" in out) == (1, True), out


def without_hashes_of_the_second(seals):
    return [one | ({"ids": None, "leaves": None} if one["number"] == 2 else {}) for one in seals]


def test_an_archive_needs_the_hashes_of_all_batches_between_its_ends(files, verify):
    files.change_seals(without_hashes_of_the_second)
    files.change(lambda lines: lines[:10] + lines[20:])
    status, out = verify(seals=files.seals, archive=files.rows)
    assert (status, "rows may be missing between" in out) == (1, True), out


def test_what_was_pruned_after_an_archive_was_made_excuses_none_of_its_rows(files, verify):
    files.sign_manifest()
    record_pruned(Issuance.objects.order_by("id")[30].id, 30)
    files.write_seals()
    files.change(lambda lines: lines[:12] + lines[20:])
    for beside in ({}, {"manifest": files.manifest}):
        status, out = verify(seals=files.seals, archive=files.rows, **beside)
        assert (status, "and so 7 more" in out) == (1, True), out


LATEST = b"ffffffff-ffff-4fff-8fff-ffffffffffff"
MADE_UP = {
    "an id in what was granted": b'"granted":[{"id":"%s","jti":0}]' % LATEST,
    "an id twice": b'"id":"00000000-0000-7000-8000-000000000000","granted":[]',
}


@pytest.mark.parametrize("text", MADE_UP.values(), ids=MADE_UP)
def test_a_row_is_known_by_its_own_id_alone(files, verify, text):
    made_up = line_of(row(11.5, refusal="plan_unknown")).replace(b'"granted":[]', text, 1)
    files.change(lambda lines: [*lines[:12], made_up + b"\n", *lines[12:]])
    status, out = verify(seals=files.seals, file=files.rows)
    assert status == 1
    assert "not sealed yet" not in out


def test_an_archive_has_no_rows_without_a_seal(files, verify):
    files.change(flip)
    files.change_seals(lambda seals: seals[:1])
    status, out = verify(seals=files.seals, archive=files.rows)
    assert (status, "25 of its rows are not sealed" in out) == (1, True), out


WRONG = {
    "seals that are none": {"seals": b"{}\n"},
    "seals in no base64": {"seals": b'{"number":1,"statement":"","ids":"*","leaves":null}\n'},
    "no key": {"key": b""},
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_what_cannot_be_read_is_said(files, verify, content):
    for name, data in content.items():
        getattr(files, name).write_bytes(data)
    status, out = verify(seals=files.seals, file=files.rows)
    assert status == 2
    assert any(str(getattr(files, name)) in out for name in content)


def test_files_that_are_not_there_are_named(files, verify, tmp_path):
    status, out = verify(seals=files.seals, file=tmp_path / "none")
    assert (status, str(tmp_path / "none") in out) == (2, True)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--file=a"],
        ["--proof=a", "--seals=b"],
        ["--proof=a", "--manifest=b"],
        ["--seals=a", "--manifest=b"],
        ["--seals=a", "--expect-head=4"],
        ["--seals=a", f"--expect-head=0:{'0' * 64}"],
        ["--file=a", "--manifest=b", f"--expect-head=4:{'0' * 64}"],
    ],
)
def test_options_that_say_nothing_are_refused(files, verify, arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        verify(*arguments)
    assert stopped.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_findings_can_be_read_by_programs(files, verify):
    files.change(flip)
    status, out = verify("--json", seals=files.seals, archive=files.rows)
    said = json.loads(out)
    (found,) = said["findings"]
    row_id = json.loads(files.lines()[12])["id"]
    assert (status, said["ok"], found["row"], found["batch"]) == (1, False, row_id, 2)
    assert said["head"]["number"] == 4


def test_an_existing_file_of_seals_is_not_overwritten(files):
    with pytest.raises(CommandError, match="choose another path"):
        call_command("export_seals", "--out", files.seals)


def test_seals_cannot_be_written_into_nowhere(files, tmp_path):
    files.key.chmod(0o600)
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("export_seals", "--out", files.key / "seals")


def managed(*arguments):
    """Exit status and output of the command, which takes the seals from the database."""
    out = StringIO()
    try:
        call_command("verify_issuances", *map(str, arguments), stdout=out)
    except SystemExit as stopped:
        return stopped.code, out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


def test_the_command_verifies_files_by_the_seals_in_the_database(files, tmp_path):
    files.sign_manifest()
    for kind in ("--file", "--archive"):
        status, out = managed(kind, files.rows, "--manifest", files.manifest)
        assert (status, "35 rows compared with 4 seals" in out) == (0, True)
    one = Issuance.objects.order_by("id")[12]
    (tmp_path / "proof.json").write_text(json.dumps(proof_for(one.id)))
    proof_of_it = ["--proof", tmp_path / "proof.json"]
    assert managed(*proof_of_it)[1].startswith(f"row {one.id} was sealed in")
    files.change(flip)
    status, out = managed("--archive", files.rows)
    assert (status, out.startswith(f"row {one.id} (")) == (1, True)
    assert managed("--proof", files.rows)[0] == 1
    status, out = managed(*proof_of_it, "--json")
    assert (status, json.loads(out)["row"]["id"]) == (0, str(one.id))
    assert managed(*proof_of_it, "--expect-head", f"1:{'0' * 64}")[0] == 2
    manifest = ["--manifest", files.manifest]
    proof = ["--proof", tmp_path / "proof.json"]
    for arguments in (manifest, [*manifest, *proof], ["--file", tmp_path / "none"]):
        status, out = managed(*arguments)
        assert (status, bool(out)) == (2, True)


# Proofs.
@pytest.mark.parametrize("number", [0, 1, 9, 10, 29, 30, 34])
def test_a_row_is_proven_without_the_log(files, verify, tmp_path, number):
    one = Issuance.objects.order_by("id")[number]
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(proof_for(one.id)))
    status, out = verify(proof=path)
    assert status == 0, out
    assert out.startswith(f"row {one.id} was sealed in batch {number // SIZE + 1} at ")
    assert f'"subject": "subject-{number}"' in out


def other(proof, name, value):
    return proof | {name: value}


EDITS = {
    "format": lambda proof: other(proof, "format", "issuance-proof/2"),
    "line": lambda proof: other(proof, "line", proof["line"].replace("subject-12", "mallory")),
    "line, not a text": lambda proof: other(proof, "line", 1),
    "line, no UTF-8": lambda proof: other(proof, "line", "\ud800"),
    "index": lambda proof: other(proof, "index", proof["index"] + 1),
    "index, far": lambda proof: other(proof, "index", 10**30),
    "index, negative": lambda proof: other(proof, "index", -1),
    "index, not a number": lambda proof: other(proof, "index", True),
    "path": lambda proof: other(proof, "path", [*proof["path"][:-1], "00" * 32]),
    "path, shorter": lambda proof: other(proof, "path", proof["path"][1:]),
    "path, longer": lambda proof: other(proof, "path", [*proof["path"], "00" * 32]),
    "path, another order": lambda proof: other(proof, "path", proof["path"][::-1]),
    "path, upper case": lambda proof: other(proof, "path", [s.upper() for s in proof["path"]]),
    "path, no hash": lambda proof: other(proof, "path", ["00", *proof["path"][1:]]),
    "statement": lambda proof: other(proof, "statement", proof["statement"][:-8] + "AAAAAAAA"),
    "statement, not a text": lambda proof: other(proof, "statement", None),
    "statement, of another batch": lambda proof: other(
        proof,
        "statement",
        proof_for(Issuance.objects.order_by("id")[0].id)["statement"],
    ),
    "one more member": lambda proof: other(proof, "more", 1),
    "a member less": lambda proof: {name: proof[name] for name in proof if name != "index"},
    "a list": lambda proof: [proof],
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_changed_proof_proves_nothing(files, verify, tmp_path, edit):
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(edit(proof_for(Issuance.objects.order_by("id")[12].id))))
    status, out = verify(proof=path)
    assert (status, "sealed in batch" in out) == (1, False)
    assert out


def test_a_proof_by_another_key_proves_nothing(files, verify, tmp_path):
    path = tmp_path / "proof.json"
    path.write_text(json.dumps(proof_for(Issuance.objects.order_by("id")[12].id)))
    files.key.write_bytes(pem_of(key_files.new_private_key()))
    status, out = verify(proof=path)
    assert (status, "the seal does not hold: it is not signed by any" in out) == (1, True)


def test_no_proof_is_made_of_a_row_that_was_altered(files):
    one = Issuance.objects.order_by("id")[12]
    Issuance.objects.filter(id=one.id).update(subject="mallory")
    with pytest.raises(proofs.ProofError, match="no longer what was sealed in batch 2"):
        proof_for(one.id)


def test_a_late_row_has_its_proof(files):
    (late,) = saved(row(15.5))
    seal(everything=True)
    proof = json.dumps(proof_for(late.id)).encode()
    line, made = proofs.proven(proof, list(keys_in(files.key.read_bytes(), "key")))
    assert (line["id"], made.late, made.number) == (str(late.id), True, 5)


def test_what_export_issuances_writes_is_verified_with_its_manifest(files, verify, tmp_path):
    out = tmp_path / "export.ndjson"
    arguments = ("--format", "ndjson", "--filter", "outcome=refused", "--out", str(out))
    call_command("export_issuances", *arguments, stdout=StringIO())
    manifest = tmp_path / "export.ndjson.manifest.json"
    options = {"seals": files.seals, "file": out, "manifest": manifest}
    status, said = verify(**options)
    assert (status, "11 rows compared with 4 seals" in said) == (0, True), said
    out.write_bytes(b"".join(out.read_bytes().splitlines(keepends=True)[1:]))
    status, said = verify(**options)
    assert (status, "it was cut off" in said) == (1, True), said
