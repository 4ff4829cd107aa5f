"""The Authority's keys behind a URL: rotation, and how often callers make the service ask.

After CVE-2026-48524: unknown key ids are looked for once per cool-down, however many there are.
"""

from __future__ import annotations

import concurrent.futures
import time
from collections import UserDict
from typing import Any

import pytest

from registry_token.authority_keys import FetchedKeys
from registry_token.fetch import fetch
from registry_token.jwks import KeySet, parse_jwks
from tests.authority import jwks_bytes, new_rsa_key, public_jwk
from tests.caller_tokens import PULL, refusal
from tests.key_server import KeyServer, content, knows, publishing

UNKNOWN_KEY = "the access token is signed with a key that the Authority does not publish"
ALGORITHMS = ("RS256", "PS256", "ES256")


@pytest.fixture(scope="module")
def key():
    return new_rsa_key()


@pytest.fixture
def server(key):
    """An Authority that publishes the key `first`."""
    with KeyServer(publishing(key, "first")) as server:
        yield server


@pytest.fixture
def source(server):
    return FetchedKeys(lambda: parse_jwks(fetch(f"{server.url}/jwks"), ALGORITHMS))


def test_asks_once_for_any_number_of_known_keys(source, server):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert all(pool.map(lambda _: knows(source, "first"), range(200)))
    assert server.requests == ["/jwks"]
    status = source.status()
    assert (status.key_ids, status.error) == (["first"], "")


def test_cve_2026_48524_500_unknown_keys_are_one_fetch(source, server):
    assert knows(source, "first")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert not any(pool.map(lambda n: knows(source, f"unknown-{n}"), range(500)))
    assert len(server.requests) == 2
    assert knows(source, "first")


def test_500_unknown_keys_are_one_fetch_when_it_fails_too(source, server):
    assert knows(source, "first")
    server.answer = content(b"", 500)
    for number in range(500):
        assert not knows(source, f"unknown-{number}")
    assert len(server.requests) == 2
    assert knows(source, "first")


def test_a_rotated_key_is_found_by_the_first_request_that_needs_it(source, server, key):
    assert knows(source, "first")
    server.answer = publishing(key, "first", "second")
    assert knows(source, "second")
    assert len(server.requests) == 2


def test_all_that_wait_for_a_rotated_key_find_it(source, server, key):
    assert knows(source, "first")

    def slowly(handler):
        time.sleep(0.3)
        publishing(key, "second")(handler)

    server.answer = slowly
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: knows(source, "second"), range(2))) == [True, True]
    assert len(server.requests) == 2


class Overtaken(UserDict[Any, Any]):
    """Keys that, while one is looked up, `meanwhile` is done once."""

    def __init__(self, keys):
        super().__init__(keys)
        self.meanwhile = []

    def get(self, name, default=None):
        while self.meanwhile:
            self.meanwhile.pop()()
        return super().get(name, default)


def test_a_request_overtaken_by_the_rotation_finds_the_key_too(key):
    old, new = (
        Overtaken(parse_jwks(jwks_bytes(public_jwk(key, kid)), ALGORITHMS).keys)
        for kid in ("first", "second")
    )
    answers = [KeySet(old), KeySet(new)]
    source = FetchedKeys(lambda: answers.pop(0))
    assert knows(source, "first")
    old.meanwhile.append(lambda: knows(source, "second"))
    assert knows(source, "second")


def test_a_key_that_is_withdrawn_is_forgotten(source, server, key):
    assert knows(source, "first")
    server.answer = publishing(key, "second")
    assert knows(source, "second")
    assert not knows(source, "first")


@pytest.mark.usefixtures("catalogue")
def test_rotation_over_http(authority, get_token, settings, server, key):
    settings.AUTHORITY_JWKS = f"{server.url}/rotation"
    first, second, third = (
        authority.token("community", key=key, headers={"kid": kid})
        for kid in ("first", "second", "third")
    )
    assert get_token(first, PULL).status_code == 200
    server.answer = publishing(key, "first", "second")
    assert get_token(second, PULL).status_code == 200
    for _ in range(20):
        assert refusal(get_token(third, PULL)) == UNKNOWN_KEY
    assert server.requests == ["/rotation"] * 2
    server.answer = content(b"", 500)
    assert get_token(second, PULL).status_code == 200
