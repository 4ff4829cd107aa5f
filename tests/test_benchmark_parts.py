"""The benchmark's parts: what it asks for is granted, what it counts is there. Asserts no times."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from benchmarks.answers import wrong_answers
from benchmarks.callers import asks, catalogue, write_lua
from benchmarks.databases import Kind, new_database
from benchmarks.fill import fill
from benchmarks.load import Load, run_wrk
from benchmarks.machine import parse_speed
from benchmarks.measure import Run, measure
from benchmarks.report import Report, Table
from benchmarks.server import Server
from benchmarks.steps_run import steps_of
from issuances.models import Issuance
from licences.models import RevokedLicence, normalised
from tests.authority import Authority
from tests.key_server import KeyServer, content

SPEED = """\
version: 3.0.19
                  sign    verify    sign/s verify/s
rsa 2048 bits 0.000244s 0.000016s   4100.5  60632.0
"""

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")


def test_reads_what_openssl_says():
    assert (parse_speed(SPEED).sign, parse_speed(SPEED).verify) == (4100.5, 60632.0)
    with pytest.raises(RuntimeError, match="nothing of rsa2048"):
        parse_speed("version: 3.0.19\n")


@pytest.mark.parametrize(("plans", "rules"), [(3, 10), (12, 30)])
@pytest.mark.django_db
def test_callers_are_granted_what_they_ask_for(
    authority, client, open_token, tmp_path, plans, rules
):
    file = tmp_path / "catalogue.yaml"
    file.write_text(json.dumps(catalogue(plans, rules)))
    call_command("load_catalogue", file, verbosity=0, stdout=StringIO())
    for ask in asks(authority, 15, plans=plans, rules=rules):
        headers = {k: v for k, v in ask.headers.items() if k != "Content-Type"}
        form = {"content_type": ask.headers["Content-Type"], "data": ask.body} if ask.body else {}
        answer = getattr(client, ask.method.lower())(ask.target, headers=headers, **form)
        claims = open_token(answer)
        assert claims["sub"] == ask.subject
        wanted = {"type": "repository", "name": ask.repository, "actions": ask.actions}
        assert claims["access"] == [wanted]


@pytest.mark.skipif("TEST_DATABASE_URL" not in os.environ, reason="fills PostgreSQL only")
@pytest.mark.django_db(transaction=True)
def test_a_filled_log_looks_as_one_that_has_grown():
    given = connection.settings_dict
    url = f"postgres://{given['USER']}@{given['HOST']}:{given['PORT']}/{given['NAME']}"
    fill(url, revoked=5, rows=640, plans=7)
    rows = list(Issuance.objects.order_by("id"))
    assert [row.created_at for row in rows] == sorted(row.created_at for row in rows)
    assert all(row.id.version == 7 for row in rows)
    assert sum(row.refusal == "nothing_granted" for row in rows) == 20
    assert len({row.plan for row in rows}) == 7
    revoked = list(RevokedLicence.objects.all())
    assert len(revoked) == 5
    assert all(licence.key == normalised(licence.licence) for licence in revoked)


def run(answers, rows, refused=0):
    load = Load(1_000_000, answers + 1, answers, refused, 0, 1.0, 2.0, 3.0)
    return Run("sqlite", 8, load, rows, 0.5, 0.0, "")


VOID = {
    "an answer without its row": (run(100, 99), "100 answers and 99 rows"),
    "a row too many": (run(100, 109), "100 answers and 109 rows"),
    "a refusal": (run(100, 100, refused=1), "1 answers other than 200"),
}


@pytest.mark.parametrize(("measured", "problem"), VOID.values(), ids=VOID)
def test_a_run_is_void_with(measured, problem):
    assert problem in " ".join(measured.problems())


def test_a_run_holds_with_the_last_requests_of_each_connection():
    assert run(100, 100).problems() == run(100, 108).problems() == []


@needs_wrk
def test_wrk_counts_each_request_and_each_status(tmp_path):
    asked = asks(Authority(), 2, plans=3, rules=10)
    gets = [replace(ask, method="GET", body="") for ask in asked]
    write_lua(gets, tmp_path / "requests.lua")
    good, bad = content(b"{}", Connection="close"), content(b"{}", 503, Connection="close")
    with KeyServer(
        lambda handler: (bad if handler.path == gets[0].target else good)(handler)
    ) as server:
        load = run_wrk(server.url, tmp_path / "requests.lua", connections=1, seconds=1, core=None)
    refused = sum(path == gets[0].target for path in server.requests)
    assert load.sent == len(server.requests)
    assert refused - 1 <= load.refused <= refused
    assert load.answers + load.refused in (load.sent, load.sent - 1)
    assert {ask.target for ask in gets} == set(server.requests)


@needs_wrk
def test_measures_a_service_and_finds_what_is_wrong(tmp_path):
    kind: Kind = "postgres" if "TEST_DATABASE_URL" in os.environ else "sqlite"
    with (
        new_database(kind, tmp_path, os.environ.get("TEST_DATABASE_URL", "")) as database,
        Server(tmp_path / "service", database) as server,
    ):
        asked = asks(server.authority, 3, plans=server.plans, rules=server.rules)
        write_lua(asked, tmp_path / "requests.lua")
        measured = measure(
            server,
            database,
            tmp_path / "requests.lua",
            label=kind,
            connections=2,
            seconds=1,
            load_core=None,
        )
        assert measured.problems() == []
        assert measured.load.answers > 0
        assert database.rows_after(database.newest_row()) == 0
        assert wrong_answers(server.url, asked, database) == []
        for wrong, sentence in (
            (replace(asked[0], subject="mallory"), "instead of mallory"),
            (replace(asked[0], actions=["delete"]), "instead of [{"),
            (replace(asked[0], method="PUT"), "status 405"),
        ):
            assert sentence in " ".join(wrong_answers(server.url, [wrong], database))
        assert len(server.memory()) == 1


def test_the_steps_add_up_to_a_token():
    names = ("verify", "facts", "decide", "sign", "record", "log line")
    costs = dict.fromkeys((*names, "request", "answer", "rsa"), (10.0, 11.0))
    costs |= {"exchange": (75.0, 80.0), "around the exchange": (50.0, 51.0)}
    costs |= {"whole": (125.0, 130.0), "a probe": (30.0, 31.0)}
    costs |= {"verify anew": (9.0, 9.0), "facts anew": (9.0, 9.0)}
    steps = {step.name: step.cpu for step in steps_of("sqlite", costs, probe=40.0).steps}
    token, without_server = steps.pop("a token"), steps.pop("a token without the server")
    assert (token, without_server) == (135.0, 125.0)
    assert sum(steps.values()) == token
    assert (steps["server"], steps["framework"], steps["rest of the exchange"]) == (10, 30, 15)


def test_a_report_rounds_for_people_only():
    table = Table("Tokens", [("service", ""), ("tokens/s", ",.0f")], [["a", 1234.5], ["b", None]])
    report = Report("Benchmark", "2026-01-02", {"kernel": "x"}, ["a note"], [table], ["no row"])
    assert "| a | 1,234 |\n| b | – |" in report.markdown()
    assert "- **FAILED**: no row" in report.markdown()
    document = json.loads(report.json())
    assert document["tables"]["Tokens"][0] == {"service": "a", "tokens/s": 1234.5}
    assert document["problems"] == ["no row"]
