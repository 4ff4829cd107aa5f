"""Both forms of an export: the same bytes on every database, and safe in a spreadsheet."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuances.encoding import FIELDS, canonical, fields_of, fields_of_values, line_of
from issuances.exporting.csv_form import neutral, original
from issuances.exporting.exports import CSV, NDJSON, Tally, pieces
from issuances.finding.filtered import Filtered
from issuances.finding.paging import rows_of
from issuances.models import Issuance
from tests.log_rows import BEGIN, row, saved

pytestmark = pytest.mark.django_db

FORMULAS = {
    "equals": "=1+1",
    "plus": "+1",
    "minus": "-1",
    "at": "@SUM(A1)",
    "tab": "\t=1",
    "carriage return": "\r=1",
    "line feed": "\n=1",
    "wide equals": "＝1+1",
    "wide plus": "＋1",
    "wide minus": "－1",
    "wide at": "＠SUM(A1)",
    "apostrophe": "'=1",
    "two apostrophes": "''=1",
}
WITHIN = {
    "semicolon": ("a;=1+1", "a;'=1+1"),
    "semicolon and quote": ('a;"=1&"', 'a;\'"=1&"'),
    "tab": ("a\t@x", "a\t'@x"),
    "line": ("a\n=1", "a\n'=1"),
    "two": (";=1;;-2", ";'=1;;'-2"),
    "apostrophe": ("a;'=1", "a;''=1"),
    "begin and within": ("\t=1;+2", "'\t'=1;'+2"),
    "nothing": ("(X11; Linux x86_64)", "(X11; Linux x86_64)"),
}
HARMLESS = ["", "alice", "a=1", "a'b", "1", " ", '"', ",", "\u2028", "ü", "日本", "\\", "/", "\x7f"]
CONTROLS = "".join(map(chr, range(1, 32)))


_SECONDS = itertools.count()


def made(**fields):
    """A row in the log, a second after the one before."""
    return saved(row(next(_SECONDS), **fields))[0]


def export(form):
    return b"".join(pieces(Filtered(), form, Tally()))


def parsed(data):
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


@pytest.mark.parametrize("text", FORMULAS.values(), ids=FORMULAS)
def test_what_begins_like_a_formula_is_a_text_in_a_spreadsheet(text):
    made(user_agent=text, subject=text)
    (found,) = parsed(export(CSV))
    assert found["user_agent"] == found["subject"]
    assert found["user_agent"].startswith(f"'{text[0]}")
    assert original(found["user_agent"]) == text


@pytest.mark.parametrize(("text", "cell"), WITHIN.values(), ids=WITHIN)
def test_no_cell_begins_within_a_text_for_who_separates_by_something_else(text, cell):
    made(user_agent=text, tenant=text)
    (found,) = parsed(export(CSV))
    assert found["user_agent"] == found["tenant"] == cell == neutral(text)


@given(st.text(st.sampled_from("=+-@\t\r\n＝'\";,a ")))
def test_what_neutralises_can_be_undone(text):
    cell = neutral(text)
    assert original(cell) == text
    for line in re.split("[;\t\r\n]", cell):
        assert not line.startswith(("=", "+", "-", "@", "＝"))


TEXTS = [*FORMULAS.values(), *HARMLESS, *(text for text, _ in WITHIN.values()), CONTROLS]


@pytest.mark.parametrize("text", [*TEXTS, "a\\u0000b"], ids=repr)
@pytest.mark.parametrize("form", [NDJSON, CSV], ids=lambda form: form.name)
def test_any_text_gives_the_bytes_of_the_canonical_form(form, text):
    """On PostgreSQL the database makes the lines, elsewhere Python does."""
    asked = [{"type": "repository", "name": text, "actions": ["pull", text], "more": {"b": 1}}]
    made(user_agent=text, tenant=text, requested=asked)
    made(refusal="nothing_granted", requested=asked, licence=text)
    rows = list(rows_of(Filtered(), columns=FIELDS[1:]))
    assert export(form) == form.head + "".join(map(form.line, rows)).encode()


def test_ndjson_is_the_canonical_line_of_each_row():
    rows = [*saved(row(0.654321)), made(refusal="plan_unknown"), made()]
    assert export(NDJSON) == b"".join(line_of(one) + b"\n" for one in rows)
    for one, line in zip(rows, export(NDJSON).splitlines(), strict=True):
        found = json.loads(line)
        assert found == fields_of(Issuance.objects.get(id=one.id))
        assert canonical(found).encode() == line
        assert list(found) == sorted(FIELDS)


def test_the_canonical_line_of_a_row_never_changes():
    """What was hashed once must give the same hash for ever."""
    decided = Issuance(
        id="01934c5e-0000-7000-8000-000000000001",
        created_at=BEGIN.replace(microsecond=5) + timedelta(hours=1),
        request_id="r",
        subject="ü",
        service="s",
        requested=[{"type": "repository", "name": "a", "actions": ["pull"]}],
        granted=[],
        refusal="nothing_granted",
        catalogue_revision=7,
    )
    at = f"{decided.created_at:%Y-%m-%dT%H:%M:%S}.000005Z"
    assert line_of(decided).decode() == (
        f'{{"caller_jti":"","catalogue_revision":7,"client_id":"","created_at":"{at}",'
        '"expires_at":null,"granted":[],"id":"01934c5e-0000-7000-8000-000000000001","jti":null,'
        '"licence":"","plan":"","refusal":"nothing_granted","remote_address":"","request_id":"r",'
        '"requested":[{"actions":["pull"],"name":"a","type":"repository"}],"service":"s",'
        '"subject":"ü","tenant":"","user_agent":""}'
    )


def test_csv_has_all_fields_and_tells_null_from_empty():
    refused = made(refusal="plan_unknown", licence="")
    head, line = export(CSV).decode().split("\r\n")[:2]
    assert head == ",".join(FIELDS)
    assert line.startswith(f'{refused.id},{fields_of(refused)["created_at"]},"')
    assert '"[]",,,"plan_unknown",1,' in line
    (found,) = parsed(export(CSV))
    assert json.loads(found["requested"]) == refused.requested
    assert found["jti"] == found["expires_at"] == found["licence"] == ""


def test_the_tally_says_what_was_given():
    rows = [made() for _ in range(3)]
    tally = Tally()
    data = b"".join(pieces(Filtered(), CSV, tally, after=rows[0].id))
    assert (tally.rows, tally.size) == (2, len(data))
    assert (tally.first_id, tally.last_id) == (rows[1].id, rows[2].id)


def test_values_of_a_row_are_converted_as_the_row_is():
    decided = made()
    (values,) = rows_of(Filtered(), columns=FIELDS[1:])
    assert fields_of_values(values) == fields_of(decided)
