"""Each step of a token as a call that can be repeated. To be imported after django.setup()."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any
from urllib.parse import parse_qs, urlsplit
from wsgiref.util import setup_testing_defaults

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from benchmarks.callers import Ask
from issuances.identifiers import uuid7
from registry_token import database, record, signing, views
from registry_token.authority import authenticate
from registry_token.entitlement import decide
from registry_token.exchange import Origin, exchange_token, policy
from registry_token.logs import encoded, log_decision
from registry_token.token_request import TokenRequest, from_query
from registry_token.wsgi import application

Call = Callable[[], Any]

_ORIGIN = Origin(request_id="0" * 32, remote_address="127.0.0.1", user_agent="docker/27.3.1")


def calls(asked: Sequence[Ask], fresh: Sequence[Ask]) -> dict[str, Call]:
    """All steps by name. `fresh` are of access tokens that each is used once only."""
    gets = [ask for ask in asked if ask.method == "GET"]
    environs = [_environ(ask) for ask in gets]
    requests = [_request(ask) for ask in gets]
    return {
        "whole": _in_turn(_answered, environs),
        "around the exchange": _around_the_exchange(environs, requests[0]),
        "a probe": _in_turn(
            _answered, [environ | {"PATH_INFO": "/healthz"} for environ in environs]
        ),
        "request": _in_turn(_request, gets),
        "exchange": _in_turn(_exchange, requests),
        **_parts_of_the_exchange(requests),
        "verify anew": _in_turn(_authenticate, [_request(ask) for ask in fresh]),
        "rsa": _rsa(),
        "answer": _answer(requests[0]),
    }


def _in_turn(call: Callable[[Any], Any], values: Sequence[Any]) -> Call:
    turn = cycle(values)
    return lambda: call(next(turn))


def _environ(ask: Ask) -> dict[str, Any]:
    url = urlsplit(ask.target)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": ask.method,
        "PATH_INFO": url.path,
        "QUERY_STRING": url.query,
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_AUTHORIZATION": ask.headers["Authorization"],
        "HTTP_USER_AGENT": ask.headers["User-Agent"],
    }
    setup_testing_defaults(environ)
    return environ


def _answered(environ: dict[str, Any]) -> None:
    """Have a request answered as the server does."""
    statuses: list[str] = []
    response: Any = application(dict(environ), lambda status, *_: statuses.append(status))
    content = b"".join(response)
    if hasattr(response, "close"):
        response.close()
    if statuses != ["200 OK"]:
        raise RuntimeError(f"{statuses}: {content!r}")


def _around_the_exchange(environs: Sequence[dict[str, Any]], request: TokenRequest) -> Call:
    """The whole with an exchange that costs nothing."""
    token = _exchange(request)
    answered = _in_turn(_answered, environs)
    module: Any = views

    def call() -> None:
        module.exchange_token = lambda *_: token
        try:
            answered()
        finally:
            module.exchange_token = exchange_token

    return call


def _request(ask: Ask) -> TokenRequest:
    query = parse_qs(urlsplit(ask.target).query, keep_blank_values=True)
    return from_query(query, ask.headers["Authorization"])


def _exchange(request: TokenRequest) -> signing.RegistryToken:
    return exchange_token(request, _ORIGIN, datetime.now(UTC))


def _parts_of_the_exchange(requests: Sequence[TokenRequest]) -> dict[str, Call]:
    """Each with what those before it gave."""
    request = requests[0]
    caller = _authenticate(request)
    facts = record.read_facts(caller.licence)
    decision = decide(request, caller, facts, policy())
    row = _row(request, caller.licence or "", facts.catalogue.revision.number)
    encoded_row = encoded(row._asdict())
    return {
        "verify": _in_turn(_authenticate, requests),
        "facts": lambda: record.assumed_facts(0),
        "facts anew": lambda: record.read_facts(caller.licence),
        "decide": lambda: decide(request, caller, facts, policy()),
        "sign": lambda: _issue(request, caller.subject, decision.granted),
        "record": lambda: _commit(row, facts),
        "log line": lambda: log_decision("granted", encoded_row),
    }


def _authenticate(request: TokenRequest) -> Any:
    return authenticate(request.subject_token or "")


def _issue(request: TokenRequest, subject: str, access: Any) -> signing.RegistryToken:
    now = datetime.now(UTC)
    return signing.issue(
        subject=subject, audience=request.service, access=access, jti=uuid7(now), now=now
    )


def _row(request: TokenRequest, licence: str, revision: int) -> record.Row:
    now = datetime.now(UTC)
    entries = [asked.entry() for asked in request.access]
    return record.Row(
        id=uuid7(now),
        created_at=now,
        request_id=_ORIGIN.request_id,
        subject="user-1",
        client_id="ci",
        tenant="tenant-1",
        plan="plan-001",
        licence=licence,
        service=request.service,
        requested=entries,
        granted=entries,
        jti=None,
        expires_at=now + timedelta(minutes=5),
        refusal="",
        catalogue_revision=revision,
        caller_jti="0" * 16,
        remote_address=_ORIGIN.remote_address,
        user_agent=_ORIGIN.user_agent,
    )


def _commit(row: record.Row, facts: Any) -> None:
    jti = uuid7(row.created_at)
    row = row._replace(id=jti, jti=jti)
    if not record.commit(row, encoded(row._asdict()), facts, database.deadline()):
        raise RuntimeError("the catalogue has changed meanwhile")


def _answer(request: TokenRequest) -> Call:
    token = _exchange(request)
    return lambda: json.dumps(views._body(token))


def _rsa() -> Call:
    key = signing.signing_key().private_key
    return lambda: key.sign(b"x" * 500, padding.PKCS1v15(), hashes.SHA256())
