"""Marked secrets: where each was planted, the requests that carry them, and the search for them."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tests.caller_tokens import raw_token, segment
from tests.conftest import basic
from tests.service import SERVICE, Service

SCOPE = "repository:stella-ops/public/app:pull"
PATH = f"/token?service={SERVICE}&scope={SCOPE}"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FIELDS = {"service": SERVICE, "scope": SCOPE}


class Planted:
    """Secrets by the place where each was planted."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}

    def mark(self, place: str) -> str:
        """A new secret for a place."""
        return self.add(place, f"planted{secrets.token_hex(12)}")

    def add(self, place: str, secret: str) -> str:
        """A secret that was not made here, such as the signature of a token."""
        self.secrets[place] = secret
        return secret

    def found(self, text: str | bytes) -> list[str]:
        """The places whose secret is in `text`, as it is or in base64."""
        data = text if isinstance(text, bytes) else text.encode()
        return [
            place
            for place, secret in self.secrets.items()
            if any(form in data for form in _forms(secret))
        ]


def _forms(secret: str) -> Iterator[bytes]:
    """The secret, and what is the same in base64 whatever stands around it."""
    yield secret.encode()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + secret.encode())
        yield encoded[4 if offset else 0 : len(encoded) // 4 * 4 - 4]


class Request(NamedTuple):
    """One request that carries a secret."""

    place: str
    method: str
    path: str
    body: str | None = None
    headers: dict[str, str] = {}


def good_token(planted: Planted, service: Service, place: str, **claims: Any) -> str:
    """A good caller token, of which neither the payload nor the signature may come out."""
    token = service.authority.token("community", **claims)
    for part, text in zip(("payload", "signature"), token.split(".")[1:], strict=True):
        planted.add(f"{part} of the token in {place}", text)
    return token


def requests(planted: Planted, service: Service) -> Iterator[Request]:
    """Requests that are granted, refused, and malformed, with a secret wherever one may be."""
    yield from _good(planted, service)
    yield from _in_headers(planted)
    yield from _in_forms(planted)
    yield from _in_tokens(planted, service)
    query = {name: planted.mark(f"query {name}") for name in QUERY}
    yield Request("query", "GET", f"{PATH}&{urlencode(query)}")
    yield Request("query, without service", "GET", f"/token?{urlencode(query)}")
    yield Request("path", "GET", f"/token/{planted.mark('path')}")
    for method in ("PUT", "DELETE", "OPTIONS", "HEAD"):
        yield Request(method, method, "/token", f"password={planted.mark(method)}", FORM)


QUERY = ("access_token", "token", "password", "refresh_token", "id_token", "authorization", "code")
HEADERS = {
    "Authorization": "{}",
    "Cookie": "sessionid={}; csrftoken={}",
    "Proxy-Authorization": "Basic {}",
    "X-Api-Key": "{}",
    "X-Auth-Token": "{}",
    "X-Forwarded-Access-Token": "{}",
    "Referer": "https://ci.example.com/?token={}",
    "If-None-Match": '"{}"',
    "X-Registry-Auth": "{}",
}
AUTHORIZATIONS = (
    "Bearer {}",
    "bearer {} x",
    "Basic {}",
    "Basic !{}!",
    'Digest username="me", response="{}"',
    "Negotiate {}",
    "{}",
    "Bearer a.{}.b",
)
FORM_FIELDS = ("password", "refresh_token", "username", "client_secret", "assertion", "code")


def _good(planted: Planted, service: Service) -> Iterator[Request]:
    token = good_token(planted, service, "Bearer")
    yield Request("good Bearer", "GET", PATH, None, {"Authorization": f"Bearer {token}"})
    token = good_token(planted, service, "Basic")
    header = basic(token, planted.mark("Basic user"))
    yield Request("good Basic", "GET", PATH, None, {"Authorization": header})
    for grant_type in ("password", "refresh_token"):
        form = {"grant_type": grant_type, "username": planted.mark(f"user of {grant_type}")}
        form |= {grant_type: good_token(planted, service, grant_type)}
        yield Request(f"good {grant_type}", "POST", "/token", urlencode(form | FIELDS), FORM)
    token = good_token(planted, service, "a refusal")
    path = PATH.replace("pull", "push")
    yield Request("refused", "GET", path, None, {"Authorization": f"Bearer {token}"})


def _in_headers(planted: Planted) -> Iterator[Request]:
    for name, value in HEADERS.items():
        header = {name: value.replace("{}", planted.mark(f"header {name}"))}
        yield Request(f"header {name}", "GET", PATH, None, header)
    for value in AUTHORIZATIONS:
        header = {"Authorization": value.format(planted.mark(f"Authorization {value}"))}
        yield Request(f"Authorization {value}", "GET", PATH, None, header)
    for place in ("Basic password", "Basic user alone"):
        mark = planted.mark(place)
        header = {"Authorization": basic(mark) if "password" in place else basic("", mark)}
        yield Request(place, "GET", PATH, None, header)
    long = planted.mark("a long token")
    yield Request("a long token", "GET", PATH, None, {"Authorization": f"Bearer {long * 600}"})


def _in_forms(planted: Planted) -> Iterator[Request]:
    for grant_type in ("password", "refresh_token", "", planted.mark("grant_type")):
        form = {name: planted.mark(f"form {grant_type[:8]} {name}") for name in FORM_FIELDS}
        body = urlencode({"grant_type": grant_type} | form | FIELDS)
        yield Request(f"form {grant_type}", "POST", "/token", body, FORM)
        header = {"Authorization": f"Bearer {planted.mark(f'beside form {grant_type[:8]}')}"}
        yield Request("two credentials", "POST", "/token", body, FORM | header)
        yield Request("form without service", "POST", "/token", urlencode(form), FORM)
    mark = planted.mark("form twice")
    body = urlencode([("grant_type", "password"), ("password", mark), ("password", f"{mark}x")])
    yield Request("form twice", "POST", "/token", body, FORM)
    long = "password=" + planted.mark("a long form") * 3000
    yield Request("a long form", "POST", "/token", long, FORM)
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
        body = json.dumps({"password": planted.mark(f"body of {kind}")})
        yield Request(f"body of {kind}", "POST", "/token", body, {"Content-Type": kind})


def _in_tokens(planted: Planted, service: Service) -> Iterator[Request]:
    """Access tokens that do not hold; some are rightly signed."""
    authority = service.authority
    head = {"alg": "RS256", "kid": authority.kid}
    for name in ("alg", "typ", "kid", "jku", "crit", "x"):
        header = head | {name: planted.mark(f"token header {name}")}
        yield _bearer(f"token header {name}", raw_token(authority, header=header))
    for name in ("iss", "aud", "exp", "nbf", "iat", "cnf", "jti"):
        mark = planted.mark(f"claim {name}")
        claims = authority.claims(sub=None) | {name: mark}
        yield _bearer(f"claim {name}", raw_token(authority, payload=claims))
    mark = planted.mark("claims of a bad signature")
    claims = authority.claims(sub=mark, client_id=mark, **{"stellaops:plan": mark})
    yield _bearer("signature", raw_token(authority, payload=claims, sign=lambda _: b"x" * 256))
    for part in range(3):
        mark = planted.mark(f"part {part} of a token")
        segments = [segment(head), segment({}), segment(b"x" * 256)]
        segments[part] = segment(mark.encode())
        yield _bearer(f"part {part}", ".".join(segments))
        segments[part] = mark
        yield _bearer(f"part {part}, raw", ".".join(segments))
    mark = planted.mark("a payload that is no JSON")
    yield _bearer("no JSON", raw_token(authority, payload=f'{{"iss": {mark}'.encode()))
    mark = planted.mark("a header that is no JSON")
    yield _bearer("no JSON header", raw_token(authority, header=f'{{"a": {mark}'.encode()))


def _bearer(place: str, token: str) -> Request:
    return Request(place, "GET", PATH, None, {"Authorization": f"Bearer {token}"})
