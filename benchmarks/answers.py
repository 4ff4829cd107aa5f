"""Answers looked at one by one, as a registry does, and each one's row."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import jwt

from benchmarks.callers import Ask
from benchmarks.databases import Database
from tests.service import SERVICE


def wrong_answers(url: str, asked: Sequence[Ask], database: Database) -> list[str]:
    """Ask once each on one connection; what is wrong with the answers, as sentences."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        keys = jwt.PyJWKSet.from_dict(_answer(connection, "GET", "/jwks", "", {}))
        wrong = []
        for ask in asked:
            try:
                answer = _answer(connection, ask.method, ask.target, ask.body, ask.headers)
                claims = _claims(answer, keys)
                problem = _problem(claims, ask) or _row_problem(claims, database)
            except (ValueError, jwt.PyJWTError, KeyError) as error:
                problem = f"{type(error).__name__}: {error}"
            if problem:
                wrong.append(f"{ask.method} {ask.target}: {problem}")
        return wrong
    finally:
        connection.close()


def _answer(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    body: str,
    headers: dict[str, str],
) -> dict[str, Any]:
    connection.request(method, target, body or None, headers)
    response = connection.getresponse()
    content = response.read()
    if response.status != 200:
        raise ValueError(f"status {response.status}: {content[:200]!r}")
    answer: dict[str, Any] = json.loads(content)
    return answer


def _claims(answer: dict[str, Any], keys: jwt.PyJWKSet) -> dict[str, Any]:
    token = answer["token"]
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(
        token, key, algorithms=["RS256"], audience=SERVICE, issuer="registry-token-tests"
    )
    return claims


def _problem(claims: dict[str, Any], ask: Ask) -> str:
    if claims["sub"] != ask.subject:
        return f"issued to {claims['sub']} instead of {ask.subject}"
    wanted = [{"type": "repository", "name": ask.repository, "actions": ask.actions}]
    if claims["access"] != wanted:
        return f"grants {claims['access']} instead of {wanted}"
    return ""


def _row_problem(claims: dict[str, Any], database: Database) -> str:
    rows = database.rows_of(claims["jti"])
    return "" if rows == 1 else f"{rows} rows in the log"
