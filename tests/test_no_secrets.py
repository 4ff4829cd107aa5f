"""No credential is in a log, an answer or a row, whatever a client sends and whatever breaks."""

from __future__ import annotations

import json
import re
import socket
import time
from urllib.parse import urlencode

import pytest

from tests.planted import FORM, PATH, Planted, good_token, requests
from tests.planted_service import database_url, execute, new_service, rows


@pytest.fixture
def planted():
    return Planted()


def leaks(service, planted):
    """What came out of every request, of the log, and of the database: place and secret."""
    found = {}
    statuses = {}
    for request in requests(planted, service):
        status, fields, body = service.request(
            request.method, request.path, request.body, request.headers
        )
        statuses[request.place] = status
        if status == 200 and request.method != "HEAD":
            token = json.loads(body)["token"]
            planted.add(f"token issued for {request.place}", token.rpartition(".")[2])
            body = body.replace(token.encode(), b"")
        found[f"answer to {request.place}"] = planted.found(json.dumps(fields).encode() + body)
    time.sleep(0.2)
    found["log"] = planted.found(service.output.read_bytes())
    found["rows"] = planted.found(rows(service))
    return {where: what for where, what in found.items() if what}, statuses


# What a token's header says besides is not looked at.
GRANTED = {f"good {way}" for way in ("Bearer", "Basic", "password", "refresh_token")}
GRANTED |= {"token header jku", "token header x"}


def test_requests_of_every_kind_leave_no_secret(tmp_path, planted):
    with new_service(tmp_path, planted, THROTTLE_FAILURES="0") as service:
        found, statuses = leaks(service, planted)
        assert found == {}
        assert {place for place, status in statuses.items() if status == 200} == GRANTED
        assert set(statuses.values()) == {200, 400, 401, 403, 404, 405, 413, 415}
        # What was looked through is what was meant to be.
        assert "alice" in rows(service)
        assert service.output.read_text().count("not decided") > 50


# Rows that the database does not take are a fault of ours: their traceback is in the log.
NO_ROW = {
    "sqlite": (
        "CREATE TRIGGER no_row BEFORE INSERT ON issuances_issuance"
        " BEGIN SELECT RAISE(ABORT, 'no row'); END"
    ),
    "postgres": "ALTER TABLE issuances_issuance ADD CHECK (user_agent = 'x') NOT VALID",
}


def test_faults_leave_no_secret(tmp_path, planted):
    with new_service(tmp_path, planted, THROTTLE_FAILURES="5") as service:
        execute(service, NO_ROW[database_url(service).partition(":")[0]])
        found, statuses = leaks(service, planted)
        assert found == {}
        assert statuses["good Bearer"] == 503
        assert 429 in statuses.values()
        assert "Traceback" in service.output.read_text()
        execute(service, "DROP TABLE plans_cataloguerevision")
        assert leaks(service, planted)[0] == {}


def test_a_database_out_of_reach_leaves_no_secret(tmp_path, planted):
    with new_service(tmp_path, planted, THROTTLE_FAILURES="0") as service:
        service.stop()
        password = planted.mark("unreachable database's password")
        (tmp_path / "database_url").write_text(f"postgres://me:{password}@127.0.0.1:1/none")
        service.start()
        token = good_token(planted, service, "a request without a database")
        headers = {"Authorization": f"Bearer {token}"}
        for path in (PATH, "/readyz", "/admin/login/"):
            status, fields, body = service.request("GET", path, headers=headers)
            assert planted.found(json.dumps(fields).encode() + body) == []
            assert status in (200, 503)
        form = urlencode({"username": "me", "password": planted.mark("admin password")})
        body = service.request("POST", "/admin/login/", form, FORM)[2]
        assert planted.found(body + service.output.read_bytes()) == []


# What no parser of HTTP takes is refused before the service sees it.
NO_HTTP = {
    "a header without a name": "GET /token HTTP/1.1\r\nHost: localhost\r\nBearer {}\r\n\r\n",
    "a name with a blank": "GET /token HTTP/1.1\r\nHost: localhost\r\nAuth : {}\r\n\r\n",
    "a name with a NUL": "GET /token HTTP/1.1\r\nHost: localhost\r\n{}\0: x\r\n\r\n",
    "a value with a NUL": "GET /token HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\0\r\n\r\n",
    "a folded header": "GET /token HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer\r\n {}\r\n\r\n",
    "no version": "GET /token?access_token={}\r\nHost: localhost\r\n\r\n",
    "a strange version": "GET /token access_token={} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a strange method": "{} /token HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a URL with a user": "GET http://me:{}@[/token HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a strange length": "POST /token HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
    "a strange coding": "POST /token HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {}\r\n\r\n",
    "a form instead of chunks": (
        "POST /token HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        "password={}\r\n"
    ),
    "an expectation": "POST /token HTTP/1.1\r\nHost: a\r\nExpect: {}\r\n\r\n",
    "TLS": "\x16\x03\x01{}\r\n\r\n",
    "a long line": "GET /token?access_token={} HTTP/1.1\r\nHost: a\r\n\r\n",
}


def test_what_is_no_http_is_not_quoted(tmp_path, planted):
    with new_service(tmp_path, planted) as service:
        found = {}
        for place, text in NO_HTTP.items():
            mark = planted.mark(place) * (400 if "long" in place else 1)
            with socket.create_connection(("127.0.0.1", service.port), timeout=10) as client:
                client.sendall(text.replace("{}", mark).encode("latin-1"))
                answer = client.makefile("rb").read()
            assert re.match(rb"HTTP/1.1 [45]\d\d ", answer), (place, answer)
            found[place] = planted.found(answer)
        time.sleep(0.2)
        found["log"] = planted.found(service.output.read_bytes())
        assert {place: what for place, what in found.items() if what} == {}
        assert service.output.read_text().count("Invalid request") >= len(NO_HTTP) - 1
        assert "Logging error" not in service.output.read_text()
