"""Asking the service for a token without a container client, as scripts and containerd do."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import jwt

from tests.service import SERVICE, Service

Answer = tuple[int, dict[str, Any]]


def get_token(service: Service, token: str, *scopes: str, audience: str = SERVICE) -> Answer:
    """GET /token as a script does: status, body."""
    query = urlencode({"service": audience, "scope": scopes}, doseq=True)
    headers = {"Authorization": f"Bearer {token}"}
    status, _, body = service.request("GET", f"/token?{query}", headers=headers)
    return status, json.loads(body)


def post_token(service: Service, token: str, *scopes: str) -> Answer:
    """POST /token as containerd does: the password grant, scopes sorted and joined by spaces."""
    form = {
        "client_id": "containerd-client",
        "grant_type": "password",
        "password": token,
        "scope": " ".join(sorted(scopes)),
        "service": SERVICE,
        "username": "ci",
    }
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    status, _, body = service.request("POST", "/token", urlencode(form), headers)
    return status, json.loads(body)


def granted(answer: Answer) -> str:
    """The registry token of an answer; fails when there is none."""
    status, body = answer
    assert status == 200, body
    return str(body["access_token"])


def header_of(registry_token: str) -> dict[str, Any]:
    """Its JWS header, unverified: that is for the registry."""
    header: dict[str, Any] = jwt.get_unverified_header(registry_token)
    return header
