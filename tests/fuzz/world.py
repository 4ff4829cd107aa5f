"""What a fuzz target needs: an Authority, the service as a WSGI application, its rules."""

from __future__ import annotations

import base64
import io
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jwt
import yaml
from django.conf import settings

from registry_token.signing import signing_key
from tests.authority import Authority
from tests.fuzz.oracle import Rule, expected_access

CATALOGUE = Path(__file__).parent / "catalogue.yaml"
SERVICE = "registry.example.com"
PROXY = "192.0.2.1"  # one that the service trusts
ERROR_CODES = {"UNSUPPORTED", "UNAUTHORIZED", "DENIED"}
DAY = 24 * 3600  # seconds


@dataclass(frozen=True)
class Answer:
    """An answer of the application."""

    status: int
    headers: dict[str, str]
    body: bytes


class World:
    """An Authority that the service believes, and the service."""

    def __init__(self, authority: Authority, application: Callable[..., Any]) -> None:
        self.authority = authority
        self.application = application
        self.rules: list[Rule] = yaml.safe_load(CATALOGUE.read_bytes())["plans"][0]["rules"]

    @cached_property
    def token(self) -> str:
        """A good caller token of the plan with every form of rule."""
        return self.authority.token("fuzz", exp=self.authority.claims()["iat"] + DAY)

    def filled(self, data: bytes) -> bytes:
        """`data` with a good credential wherever it says so."""
        basic = base64.b64encode(f"me:{self.token}".encode())
        return data.replace(b"$BASIC", basic).replace(b"$TOKEN", self.token.encode())

    def ask(self, method: str, environ: dict[str, str], body: bytes = b"") -> Answer:
        """One request, given as gunicorn gives it: text in Latin-1; checked for what all share."""
        started: list[Any] = []
        complete = {
            "REQUEST_METHOD": method,
            "PATH_INFO": "/token",
            "SCRIPT_NAME": "",
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        } | environ
        chunks = self.application(complete, lambda *answer: started.append(answer))
        content = b"".join(chunks)
        if hasattr(chunks, "close"):
            chunks.close()
        answer = Answer(int(started[-1][0][:3]), dict(started[-1][1]), content)
        _check(answer)
        return answer

    def check_grant(self, answer: Answer, service: str, scope: str) -> None:
        """What was granted is exactly what the second implementation grants."""
        body = json.loads(answer.body)
        if answer.status == 200:
            key = signing_key().private_key.public_key()
            issuer = settings.SIGNING_ISSUER
            claims = jwt.decode(body["token"], key, ["RS256"], audience=service, issuer=issuer)
            granted = claims["access"]
        elif body["errors"][0]["detail"].get("reason") == "nothing_granted":
            granted = []
        else:
            return
        expected = expected_access(self.rules, service, scope)
        assert granted == expected, (scope, granted, expected)


def _check(answer: Answer) -> None:
    """JSON, never a fault, nothing that breaks out of a header field."""
    assert answer.status in (200, 400, 401, 403, 404, 405, 413, 415), answer
    assert answer.headers["Content-Type"].partition(";")[0] == "application/json"
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert answer.headers["X-Request-ID"]
    for value in answer.headers.values():
        assert value.isascii()
        assert value.isprintable()
    body = json.loads(answer.body)
    if answer.status != 200:
        [error] = body["errors"]
        assert error["code"] in ERROR_CODES
        assert isinstance(error["message"], str)
        assert isinstance(error["detail"], dict)


class OneLineEach(io.TextIOBase):
    """A log stream that takes nothing but whole lines of JSON, and forgets them."""

    def write(self, text: str) -> int:
        """Fails when a record is not one line."""
        assert text.endswith("\n"), text
        assert text.isascii(), text
        line = json.loads(text[:-1])
        assert "\n" not in text[:-1], text
        assert "exception" not in line, text
        return len(text)


def check_logs() -> None:
    """From now on a record that is not one JSON line, or has a traceback, is a failure."""

    def fail(record: logging.LogRecord) -> None:
        raise  # the error that is being handled

    known = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    for handler in {handler for logger in known for handler in logger.handlers}:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(OneLineEach())
            handler.handleError = fail  # type: ignore[method-assign]
