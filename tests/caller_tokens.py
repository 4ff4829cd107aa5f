"""Caller tokens whose bytes are exactly as asked, rightly signed with the Authority's key."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.authority import Authority

PULL = "repository:stella-ops/public/app:pull"
GENERAL = "the access token is not valid"
CHALLENGE = 'Bearer realm="https://tokens.example.com/token", error="invalid_token"'


def segment(data: Any) -> str:
    """A segment of a token: bytes as they are, anything else as JSON."""
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def raw_token(
    authority: Authority,
    header: Any = None,
    payload: Any = None,
    sign: Callable[[bytes], bytes] | None = None,
) -> str:
    """A token of exactly this header and payload; `sign` replaces the Authority's RS256."""
    if header is None:
        header = {"alg": "RS256", "typ": "at+jwt", "kid": authority.kid}
    if payload is None:
        payload = authority.claims(**{"stellaops:plan": "community"})
    signing_input = f"{segment(header)}.{segment(payload)}"
    if sign is None:
        signature = authority.key.sign(signing_input.encode(), padding.PKCS1v15(), hashes.SHA256())
    else:
        signature = sign(signing_input.encode())
    return f"{signing_input}.{segment(signature)}"


def refusal(response: Any, challenge: str = CHALLENGE) -> str:
    """The message of a 401, of which everything else is as it must be."""
    assert response.status_code == 401, response.content
    assert response["WWW-Authenticate"] == challenge
    [error] = response.json()["errors"]
    assert error["code"] == "UNAUTHORIZED"
    message: str = error["message"]
    return message
