"""What the service says of requests: its decisions, and gunicorn's access lines."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt

from tests.service import Service

_MARK = "access|"
# gunicorn as shipped logs no requests. These members tell how a client asked.
_FORMAT = f"{_MARK}%({{x-request-id}}o)s|%(m)s|%({{transfer-encoding}}i)s|%({{content-type}}i)s"
ACCESS_LOG = {"GUNICORN_CMD_ARGS": f"--access-logfile - --access-logformat '{_FORMAT}'"}


def jti(token: str) -> str:
    """The id of a caller token, which every decision about it carries."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return str(claims["jti"])


def decisions(service: Service, token: str) -> list[dict[str, Any]]:
    """The log lines of the decisions about a caller token, oldest first.

    Each is written before its answer is sent: a client that has ended has left its lines.
    """
    wanted = jti(token)
    return [line for line in _json_lines(service) if line.get("caller_jti") == wanted]


def undecided(service: Service) -> list[dict[str, Any]]:
    """The lines of requests that ended before a decision, oldest first."""
    return [line for line in _json_lines(service) if line["message"].startswith("not decided")]


def how_asked(service: Service, request_id: str) -> tuple[str, str, str]:
    """Method, Transfer-Encoding and Content-Type of a request; "-" for none."""
    deadline = time.monotonic() + 5  # gunicorn writes the line after the answer
    while time.monotonic() < deadline:
        for line in service.output.read_text().splitlines():
            if line.startswith(f"{_MARK}{request_id}|"):
                method, transfer_encoding, content_type = line.split("|")[2:5]
                return method, transfer_encoding, content_type
        time.sleep(0.02)
    raise AssertionError(f"no access line for the request {request_id}")


def _json_lines(service: Service) -> list[dict[str, Any]]:
    lines = service.output.read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]
