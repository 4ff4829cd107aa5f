"""The service as shipped, gunicorn and all, over real sockets."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from issuances.models import Issuance
from tests.conftest import basic
from tests.service import SERVICE, Service

PULL = "repository:stella-ops/public/app:pull"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
QUERY = f"/token?service={SERVICE}&scope={PULL}"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def token_of_length(service: Service, length: int) -> str:
    """A good caller token of exactly so many bytes."""
    token = service.authority.token("community", padding="")
    for padding in range((length - len(token)) * 3 // 4 - 8, length):
        token = service.authority.token("community", padding="x" * padding)
        if len(token) >= length:
            break
    assert len(token) == length
    return token


def form(token: str) -> bytes:
    fields = {"grant_type": "refresh_token", "refresh_token": token, "service": SERVICE}
    return urlencode(fields | {"scope": PULL}).encode()


def chunks(body: bytes, size: int = 100) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))


# skopeo and podman send their form without Content-Length.
def test_reads_a_chunked_form(service):
    body = form(service.authority.token("community"))
    headers = FORM | {"Transfer-Encoding": "chunked"}
    status, _, answer = service.request(
        "POST", "/token", chunks(body), headers, encode_chunked=True
    )
    assert status == 200
    assert json.loads(answer)["scope"] == PULL


def test_refuses_a_chunked_form_that_does_not_end(service):
    headers = FORM | {"Transfer-Encoding": "chunked"}
    body = chunks(b"x" * 200_000, 1000)
    status, fields, answer = service.request("POST", "/token", body, headers, encode_chunked=True)
    assert status == 413
    assert fields["Content-Type"] == "application/json"
    assert json.loads(answer)["errors"][0]["code"] == "UNSUPPORTED"


def test_a_caller_token_of_16_kib_passes_by_every_way(service):
    token = token_of_length(service, 16 * 1024)
    user = "a-user-of-a-container-client@example.com"
    assert service.request("GET", QUERY, headers=bearer(token))[0] == 200
    headers = {"Authorization": basic(token, user)}
    assert service.request("GET", QUERY, headers=headers)[0] == 200
    assert service.request("POST", "/token", form(token), FORM)[0] == 200


def test_one_byte_more_is_refused_in_json(service):
    status, _, answer = service.request("GET", QUERY, headers=bearer("x" * (16 * 1024 + 1)))
    assert status == 401
    assert json.loads(answer)["errors"][0]["code"] == "UNAUTHORIZED"


REFUSED_BY_GUNICORN = {
    "long header": (QUERY, {"Authorization": "Bearer " + "x" * 30_000}, 431),
    "long request line": (QUERY + "x" * 9000, {}, 414),
    "no such method": ("/token HTTP/1.1\r\nbroken", {}, 400),
}


@pytest.mark.parametrize(
    ("path", "headers", "status"), REFUSED_BY_GUNICORN.values(), ids=REFUSED_BY_GUNICORN
)
def test_what_gunicorn_refuses_is_told_in_json_too(service, path, headers, status):
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *map(": ".join, headers.items()), "", ""]
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        connection.sendall("\r\n".join(lines).encode())
        head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Content-Type: application/json" in head
    assert json.loads(body)["errors"][0]["code"] == "UNSUPPORTED"


def test_several_requests_share_a_connection(service):
    request = (
        f"GET {QUERY} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {service.authority.token('community')}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        reader = connection.makefile("rb")
        for _ in range(3):
            connection.sendall(request.encode())
            assert reader.readline().startswith(b"HTTP/1.1 200")
            fields = dict(line.split(b": ", 1) for line in iter(reader.readline, b"\r\n"))
            assert fields[b"Connection"] == b"keep-alive\r\n"
            assert b"access_token" in reader.read(int(fields[b"Content-Length"]))


def test_a_script_name_header_does_not_disturb(service):
    headers = bearer(service.authority.token("community")) | {"SCRIPT_NAME": "/x"}
    status, _, _ = service.request("GET", QUERY, headers=headers)
    assert status == 200


def test_forwarded_headers_of_strangers_do_not_count(service):
    before = len(service.output.read_text().splitlines())
    headers = bearer(service.authority.token("community"))
    headers |= {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}
    assert service.request("GET", QUERY, headers=headers)[0] == 200
    (line,) = service.output.read_text().splitlines()[before:]
    assert json.loads(line)["remote_address"] == "127.0.0.1"


def test_each_decision_is_one_line_of_json_with_the_fields_of_its_row(service):
    before = len(service.output.read_text().splitlines())
    headers = bearer(service.authority.token("community"))
    ids = [
        service.request("GET", QUERY, headers=headers)[1]["X-Request-ID"],
        service.request("GET", QUERY + "x", headers=headers)[1]["X-Request-ID"],
        service.request("GET", QUERY, headers=bearer("a.b\nc"[:3]))[1]["X-Request-ID"],
    ]
    time.sleep(0.1)
    lines = [json.loads(line) for line in service.output.read_text().splitlines()[before:]]
    assert [line["request_id"] for line in lines] == ids
    granted, refused, undecided = lines
    fields = {field.attname for field in Issuance._meta.fields}
    assert fields <= granted.keys()
    assert fields <= refused.keys()
    assert (granted["subject"], granted["refusal"]) == ("alice", "")
    assert (refused["jti"], refused["refusal"]) == (None, "nothing_granted")
    assert (undecided["status"], undecided["reason"].split(":")[0]) == (401, "invalid")


def test_no_credential_is_in_any_row_or_line(service):
    marked = [service.authority.token("community", sub=f"marked-{k}") for k in range(6)]
    answers = [
        service.request("GET", QUERY, headers=bearer(marked[0]))[2],
        service.request("GET", QUERY, headers={"Authorization": basic(marked[1])})[2],
        service.request("POST", "/token", form(marked[2]), FORM)[2],
        service.request("GET", QUERY, headers=bearer(marked[3] + "x"))[2],
        service.request("POST", "/token", form(marked[4] + "x"), FORM)[2],
        service.request("GET", f"{QUERY}&password={marked[5]}")[2],
    ]
    secrets = marked + [json.loads(answer)["token"] for answer in answers[:3]]
    output = service.output.read_text()
    script = "from issuances.models import Issuance; print(list(Issuance.objects.values()))"
    rows = service.manage("shell", "-c", script).stdout
    assert "marked-0" in output
    assert "marked-0" in rows
    for secret in secrets:
        for part in secret.split(".")[1:]:
            assert part not in output
            assert part not in rows
        assert secret not in answers[3].decode() + answers[4].decode() + answers[5].decode()


def test_a_bad_host_is_one_line_without_a_traceback(service):
    before = len(service.output.read_text().splitlines())
    assert service.request("GET", "/token", headers={"Host": "evil.example.com"})[0] == 400
    time.sleep(0.1)
    (line,) = service.output.read_text().splitlines()[before:]
    assert json.loads(line)["logger"] == "django.security.DisallowedHost"


def test_a_change_counts_from_the_next_request_in_every_worker(service, tmp_path):
    headers = bearer(service.authority.token("worker"))
    for _ in range(6):
        assert service.request("GET", QUERY, headers=headers)[0] == 403
    rule = '{repositories: "stella-ops/**", actions: [pull]}'
    file = tmp_path / "worker.yaml"
    file.write_text(f"plans: [{{name: worker, rules: [{rule}]}}]")
    service.manage("load_catalogue", str(file))
    for _ in range(6):
        assert service.request("GET", QUERY, headers=headers)[0] == 200
    file.write_text("plans: [{name: worker, rules: []}]")
    service.manage("load_catalogue", str(file))
    for _ in range(6):
        assert service.request("GET", QUERY, headers=headers)[0] == 403


def test_a_reload_with_a_wrong_set_up_changes_nothing(tmp_path):
    with Service(tmp_path, {"WEB_CONCURRENCY": "1"}) as service:
        assert service.process is not None
        headers = bearer(service.authority.token("community"))
        file = tmp_path / "registry-token.yaml"
        for text, said in (
            ("plans: {defualt: x}", "not reloaded"),
            ("plans: {default: community}", "Booting worker"),
        ):
            file.write_text(text)
            before = service.output.read_text().count(said)
            service.process.send_signal(signal.SIGHUP)
            deadline = time.monotonic() + 15
            while service.output.read_text().count(said) == before:
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert service.request("GET", QUERY, headers=headers)[0] == 200
        assert "plans.defualt" in service.output.read_text()
        # The new worker reads the new default.
        without_plan = bearer(service.authority.token())
        deadline = time.monotonic() + 15
        while service.request("GET", QUERY, headers=without_plan)[0] != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_stops_with_status_0_and_says_why_it_does_not_start(tmp_path):
    with Service(tmp_path, {"WEB_CONCURRENCY": "1"}) as service:
        assert service.request("GET", "/readyz")[0] == 200
        assert service.stop() == 0
        service.environment["REGISTRY_TOKEN_SIGNING_LIFETIME"] = "3000"
        with pytest.raises(RuntimeError, match="SIGNING_LIFETIME"):
            service.start()


@pytest.mark.parametrize("path", ["/token", "/admin/login/"])
@pytest.mark.parametrize("parameter", ["charset*=x", "charset*=no-charset'en'x", "a*0*=%00''b"])
def test_parameters_that_django_cannot_read_are_no_error_of_ours(service, path, parameter):
    headers = {"Content-Type": f"application/x-www-form-urlencoded; {parameter}"}
    status, _, _ = service.request("POST", path, "grant_type=password", headers)
    assert status in (400, 403)
