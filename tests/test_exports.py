"""Exports: what is sent, what is recorded, what is signed, and how they end."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys

import jwt
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from issuances.encoding import line_of
from issuances.exporting.exports import CSV, NDJSON
from issuances.finding.filters import Filtered, IssuanceFilter
from issuances.verify import main
from people.models import Activity
from registry_token import export_runs
from registry_token.authority import authenticate
from registry_token.config_values import BASE_DIR
from registry_token.errors import Unauthenticated
from registry_token.export_runs import Export, Wanted
from registry_token.signing import SigningKeyError, signing_key
from tests.log_rows import row, saved

pytestmark = pytest.mark.django_db

EXPORT = "/api/v1/issuances/export"
LINK = re.compile(r'<(/api/v1/issuances/exports/[0-9a-f-]{36})>; rel="describedby"')


@pytest.fixture
def rows():
    return saved(*(row(second, subject=f"user-{second}") for second in range(5)))


@pytest.fixture
def auditor(client_with):
    return client_with("export_issuance")


@pytest.fixture
def public_key(tmp_path, client):
    """What /jwks says, in a file."""
    path = tmp_path / "jwks.json"
    path.write_bytes(client.get("/jwks").content)
    return path


def verified(key, manifest, file):
    """The exit status of the verifier."""
    return main(["--key", str(key), "--manifest", str(manifest), "--file", str(file)])


def body(response):
    assert response.status_code == 200, response.content
    return b"".join(response.streaming_content)


def manifest_path(response):
    found = LINK.fullmatch(response["Link"])
    assert found is not None
    return found[1]


def recorded():
    return Activity.objects.filter(action="exported").order_by("id")


def details():
    return [one.detail for one in recorded()]


def begun(**fields):
    return Export(Wanted(Filtered(), {}, NDJSON, **fields), actor="alice")


def lines(rows):
    return b"".join(line_of(one) + b"\n" for one in rows)


def test_all_rows_come_oldest_first(auditor, rows):
    assert body(auditor.get(EXPORT)) == lines(rows)


def test_it_is_a_file_to_be_kept(auditor, rows):
    response = auditor.get(EXPORT, {"format": "csv"})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(
        r'attachment; filename="issuances-[0-9a-f-]{36}\.csv"', response["Content-Disposition"]
    )
    assert body(response).startswith(CSV.head)


def test_the_filter_counts(auditor, rows):
    assert body(auditor.get(EXPORT, {"subject": "user-3"})) == lines(rows[3:4])


def test_nothing_found_is_an_empty_file_with_a_manifest(auditor, rows):
    response = auditor.get(EXPORT, {"subject": "nobody"})
    assert body(response) == b""
    said = auditor.get(manifest_path(response)).json()
    assert (said["rows"], said["bytes"], said["first_id"], said["last_id"]) == (0, 0, None, None)


def test_goes_on_after_the_last_row_that_arrived(auditor, rows):
    whole = body(auditor.get(EXPORT))
    kept = whole[: len(whole) // 2]
    kept = kept[: kept.rindex(b"\n") + 1]
    after = json.loads(kept.splitlines()[-1])["id"]
    assert kept + body(auditor.get(EXPORT, {"after": after})) == whole


def test_rows_that_come_while_it_runs_are_for_the_next_one(rows):
    export = begun()
    stream = iter(export)
    saved(row(10**9))
    assert b"".join(stream) == lines(rows)


def test_the_manifest_says_what_was_exported_and_is_signed(auditor, rows, tmp_path, public_key):
    response = auditor.get(EXPORT, {"format": "csv", "subject": "user-1", "from": "2026-03-01"})
    data = body(response)
    document = auditor.get(manifest_path(response))
    assert document["Content-Disposition"].endswith('.manifest.json"')
    said = document.json()
    assert said.pop("statement")
    assert said | {"export": "", "created_at": "", "until": ""} == {
        "export": "",
        "issuer": settings.SIGNING_ISSUER,
        "created_at": "",
        "by": "bob",
        "format": "csv",
        "filter": {"subject": "user-1", "from": "2026-03-01"},
        "after": None,
        "from": "2026-03-01T00:00:00.000000Z",
        "until": "",
        "rows": 1,
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "first_id": str(rows[1].id),
        "last_id": str(rows[1].id),
    }
    assert said["export"] in response["Content-Disposition"]
    (tmp_path / "log.csv").write_bytes(data)
    (tmp_path / "manifest.json").write_bytes(document.content)
    assert verified(public_key, tmp_path / "manifest.json", tmp_path / "log.csv") == 0


def test_a_manifest_never_passes_for_a_token(auditor, rows, authority):
    response = auditor.get(EXPORT)
    body(response)
    statement = auditor.get(manifest_path(response)).json()["statement"]
    assert jwt.get_unverified_header(statement)["typ"] == "issuance-manifest+jws"
    with pytest.raises(jwt.PyJWTError):
        jwt.decode(
            statement,
            signing_key().private_key.public_key(),
            algorithms=["RS256"],
            audience="registry.example.com",
            options={"require": ["exp", "aud"]},
        )
    with pytest.raises(Unauthenticated):
        authenticate(statement, challenge="Bearer")


DAMAGE = {
    "cut off": (lambda data: data[:-3], "it was cut off"),
    "longer": (lambda data: data + b"\n", "something was added"),
    "changed": (lambda data: data.replace(b"user-2", b"user-9"), "has been changed"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_told_by_its_manifest(
    rows, tmp_path, public_key, capsys, damage, message
):
    out = tmp_path / "log.ndjson"
    call_command("export_issuances", out=out, verbosity=0)
    out.write_bytes(damage(out.read_bytes()))
    assert verified(public_key, f"{out}.manifest.json", out) == 1
    assert message in capsys.readouterr().out


def test_an_edited_manifest_is_told(rows, tmp_path, public_key, capsys):
    out = tmp_path / "log.ndjson"
    call_command("export_issuances", out=out, verbosity=0)
    path = tmp_path / "log.ndjson.manifest.json"
    edited = json.loads(path.read_bytes())
    edited["rows"] = 3
    path.write_text(json.dumps(edited))
    assert verified(public_key, path, out) == 2
    assert "something else than what was signed" in capsys.readouterr().err
    for none in ("{}", "[" * 100_000):
        path.write_text(none)
        assert verified(public_key, path, out) == 2
        assert "no manifest" in capsys.readouterr().err
    assert verified(public_key, path, tmp_path / "nothing") == 2


def test_verifying_needs_the_public_key_and_nothing_else(rows, tmp_path, public_key):
    out = tmp_path / "log.ndjson"
    call_command("export_issuances", out=out, verbosity=0)
    arguments = ["--key", public_key, "--manifest", f"{out}.manifest.json", "--file", out]
    done = subprocess.run(
        [sys.executable, "-m", "issuances.verify", *arguments],
        cwd=BASE_DIR,
        env={},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("5 rows, as the manifest of 20")


def test_begin_and_end_are_in_the_activity_log(auditor, rows):
    response = auditor.get(EXPORT, {"subject": "user-1"})
    assert details() == ["begun: ndjson subject=user-1"]
    body(response)
    first, last = recorded()
    assert last.detail == f"complete: 1 rows, last {rows[1].id}; ndjson subject=user-1"
    for one in (first, last):
        assert (one.actor, one.action, one.address) == ("bob", "exported", "127.0.0.1")
        assert one.request_id == response["X-Request-ID"]
        assert one.object == f"issuances {manifest_path(response)[-36:]}"


def test_a_program_is_named_by_its_subject(client, authority, rows):
    token = authority.token(scope="registry.audit.read", sub="robot")
    body(client.get(EXPORT, headers={"Authorization": f"Bearer {token}"}))
    assert {one.actor for one in recorded()} == {"access token of robot"}


@pytest.mark.django_db(transaction=True)  # closing an answer closes the connection
def test_what_is_broken_off_is_recorded_and_has_no_manifest(auditor, rows):
    response = auditor.get(EXPORT)
    next(iter(response.streaming_content))
    response.close()
    assert details()[-1].startswith("broken off: 5 rows, last ")
    found = auditor.get(manifest_path(response))
    assert found.status_code == 404
    assert found.json()["errors"][0]["detail"] == {"reason": "export_incomplete"}


@pytest.mark.django_db(transaction=True)  # closing an answer closes the connection
def test_what_never_began_to_be_sent_is_recorded(auditor, rows):
    auditor.get(EXPORT).close()
    assert details()[-1].startswith("broken off: 0 rows, last None")


def test_what_fails_is_recorded_and_ends_without_its_end(rows, monkeypatch):
    monkeypatch.setattr(export_runs, "MAX_SECONDS", -1.0)
    export = begun()
    with pytest.raises(export_runs.ExportTookTooLong):
        list(export)
    assert details()[-1].startswith("failed (ExportTookTooLong): 5 rows")
    assert export.manifest is None


def test_what_finds_nothing_for_too_long_fails_too(rows, monkeypatch):
    monkeypatch.setattr(export_runs, "MAX_SECONDS", -1.0)
    pushes = IssuanceFilter({"action": "push"}).filtered
    export = Export(Wanted(pushes, {}, NDJSON), actor="alice")
    with pytest.raises(export_runs.ExportTookTooLong):
        list(export)
    assert details()[-1].startswith("failed (ExportTookTooLong): 0 rows")


@pytest.mark.django_db(transaction=True)
def test_a_failure_of_the_database_is_recorded(rows):
    export = begun()
    renamed = "ALTER TABLE {} RENAME TO {}"
    with connection.cursor() as cursor:
        cursor.execute(renamed.format("issuances_issuance", "elsewhere"))
        try:
            with pytest.raises(DatabaseError):
                list(export)
        finally:
            cursor.execute(renamed.format("elsewhere", "issuances_issuance"))
    assert re.match(r"failed \(\w+Error\): 0 rows", details()[-1])


def test_without_a_key_nothing_begins(auditor, rows, settings, tmp_path):
    settings.SIGNING_KEY = str(tmp_path / "missing.key")
    response = auditor.get(EXPORT)
    assert response.status_code == 503
    assert response.json()["errors"][0]["detail"] == {"reason": "signing_key"}
    with pytest.raises(SigningKeyError):
        begun()
    assert details() == []


def test_a_process_runs_two_at_once_and_no_more(auditor, rows):
    running = [begun(), begun()]
    response = auditor.get(EXPORT)
    assert (response.status_code, response["Retry-After"]) == (503, "20")
    assert response.json()["errors"][0]["detail"] == {"reason": "too_many_exports"}
    running.pop().close()
    assert body(auditor.get(EXPORT)) == lines(rows)
    assert body(auditor.get(EXPORT)) == lines(rows)


def test_an_export_that_is_forgotten_takes_no_place(rows):
    for _ in range(5):
        begun()


def test_an_export_that_nobody_made(auditor):
    found = auditor.get("/api/v1/issuances/exports/01932f5b-1c2d-7a3e-9f00-2b4c6d8e0f12")
    assert found.status_code == 404
    assert found.json()["errors"][0]["detail"] == {"reason": "no_such_export"}
    assert auditor.get("/api/v1/issuances/exports/x").status_code == 400


def test_the_command_writes_file_and_manifest(rows, tmp_path, capsys):
    out = tmp_path / "log.ndjson"
    call_command("export_issuances", out=out, filter=["subject=user-2"], verbosity=0)
    assert out.read_bytes() == lines(rows[2:3])
    assert capsys.readouterr().out.startswith(f"wrote 1 rows to {out}")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "log.ndjson",
        "log.ndjson.manifest.json",
    ]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    said = json.loads((tmp_path / "log.ndjson.manifest.json").read_bytes())
    assert (said["by"], said["filter"]) == ("command export_issuances", {"subject": "user-2"})
    assert {one.actor for one in recorded()} == {"command export_issuances"}


def test_the_command_goes_on_after_a_row(rows, tmp_path):
    out = tmp_path / "log.csv"
    call_command("export_issuances", out=out, format="csv", after=rows[3].id, verbosity=0)
    assert out.read_bytes().count(b"\r\n") == 2


def test_the_command_takes_its_time(rows, tmp_path, monkeypatch):
    monkeypatch.setattr(export_runs, "MAX_SECONDS", -1.0)
    call_command("export_issuances", out=tmp_path / "log", verbosity=0)
    assert (tmp_path / "log").read_bytes() == lines(rows)


REFUSED = {
    "a filter": ({"filter": ["address=x"]}, "address: write an IP address"),
    "a name": ({"filter": ["plam=x"]}, "unknown parameter plam"),
    "no value": ({"filter": ["plan"]}, "--filter plan: write NAME=VALUE"),
    "twice": (
        {"filter": ["plan=a", "plan=b"]},
        "--filter plan=b: write NAME=VALUE, each name once",
    ),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED)
def test_the_command_says_what_is_wrong(tmp_path, options, message):
    with pytest.raises(CommandError, match=re.escape(message)):
        call_command("export_issuances", out=tmp_path / "log", **options)
    assert list(tmp_path.iterdir()) == []
    assert details() == []


def test_the_command_overwrites_nothing(rows, tmp_path):
    out = tmp_path / "log"
    out.write_text("mine")
    with pytest.raises(CommandError, match="exists; name a new file by --out"):
        call_command("export_issuances", out=out)
    with pytest.raises(CommandError, match="No such file or directory"):
        call_command("export_issuances", out=tmp_path / "no" / "log")
    assert out.read_text() == "mine"
    assert details()[-1].startswith("broken off: 0 rows")


def test_an_export_without_its_manifest_leaves_nothing_and_can_be_repeated(rows, tmp_path):
    out = tmp_path / ("n" * 235)  # the name of a manifest's temporary file would be too long
    with pytest.raises(CommandError, match="File name too long"):
        call_command("export_issuances", out=out)
    assert list(tmp_path.iterdir()) == []
    call_command("export_issuances", out=tmp_path / "log", verbosity=0)
    assert {one.name for one in tmp_path.iterdir()} == {"log", "log.manifest.json"}


def test_the_page_shows_how_each_ended_and_links_to_its_manifest(auditor, rows):
    complete = auditor.get(EXPORT, {"subject": "user-1"})
    body(complete)
    running = begun()
    page = auditor.get("/admin/issuances/issuance/exports/").content.decode()
    assert manifest_path(complete) in page
    assert "ndjson subject=user-1" in page
    assert f"complete; 1 rows, last {rows[1].id}" in page
    assert "runs still" in page
    running.close()
    page = auditor.get("/admin/issuances/issuance/exports/").content.decode()
    assert "broken off; 0 rows" in page
    assert f"/exports/{running.id}" not in page


def test_the_page_of_a_log_that_nobody_has_exported(auditor):
    assert (
        "Nothing has been exported yet"
        in auditor.get("/admin/issuances/issuance/exports/").content.decode()
    )


def test_the_logs_page_leads_to_exports_of_what_it_shows(client_with, rows):
    client = client_with("export_issuance", "view_issuance")
    page = client.get("/admin/issuances/issuance/", {"subject": "user-1"}).content.decode()
    assert 'href="/api/v1/issuances/export?format=csv&amp;subject=user-1"' in page
    assert 'href="/admin/issuances/issuance/exports/"' in page
    assert body(client.get(EXPORT, {"format": "ndjson", "subject": "user-1"})) == lines(rows[1:2])
