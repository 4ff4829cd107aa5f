"""The issuance log after real clients: one row for each decision, equal to its log line."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.asking import get_token, granted
from tests.e2e.clients import succeeded
from tests.e2e.service_log import decisions, jti
from tests.service import Service

_ROWS = """
from issuances.models import Issuance
import json
rows = Issuance.objects.filter(caller_jti={jti!r}).order_by("id")
print(json.dumps(list(rows.values()), default=str))
"""


def _rows(service: Service, token: str) -> list[dict[str, Any]]:
    script = _ROWS.format(jti=jti(token))
    rows: list[dict[str, Any]] = json.loads(
        service.manage("shell", "--no-imports", "-c", script).stdout
    )
    return rows


def test_a_push_leaves_rows_of_what_was_granted(service, new_skopeo, image):
    token = service.authority.token("builder", "LIC-0001", sub="bob", client_id="pipeline")
    succeeded(new_skopeo(token).push(image, "team/recorded"))
    rows = _rows(service, token)
    assert rows
    pushed = [{"type": "repository", "name": "team/recorded", "actions": ["pull", "push"]}]
    for row in rows:
        assert (row["subject"], row["client_id"]) == ("bob", "pipeline")
        assert (row["plan"], row["licence"]) == ("builder", "LIC-0001")
        assert row["service"] == "registry.example.com"
        assert (row["requested"], row["granted"], row["refusal"]) == (pushed, pushed, "")
        assert row["jti"] == row["id"]
        assert row["user_agent"].startswith("skopeo/")


def test_a_refusal_leaves_a_row_with_its_reason(service, new_skopeo, image):
    token = service.authority.token("supplier", "LIC-0002", sub="mallory")
    assert new_skopeo(token).push(image, "team/refused").returncode == 1
    (row,) = _rows(service, token)
    assert (row["subject"], row["plan"], row["licence"]) == ("mallory", "supplier", "LIC-0002")
    assert (row["refusal"], row["granted"]) == ("nothing_granted", [])
    assert (row["jti"], row["expires_at"]) == (None, None)
    assert row["requested"][0]["name"] == "team/refused"


def test_log_lines_say_what_the_rows_say(service, new_skopeo, image):
    token = service.authority.token("reader")
    new_skopeo(token).push(image, "team/logged")
    rows, lines = _rows(service, token), decisions(service, token)
    assert rows
    compared = set(rows[0]) - {"created_at", "expires_at"}  # their text form differs
    assert [{name: line[name] for name in compared} for line in lines] == [
        {name: row[name] for name in compared} for row in rows
    ]


def test_no_row_and_no_line_holds_a_credential(service):
    token = service.authority.token("builder")
    registry_token = granted(get_token(service, token, "repository:team/quiet:pull"))
    recorded = json.dumps(_rows(service, token)) + service.output.read_text()
    assert jti(token) in recorded
    for secret in (token, registry_token):
        assert not any(part in recorded for part in secret.split("."))
