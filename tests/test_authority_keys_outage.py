"""An Authority that is slow, down, or answers rubbish: what callers with good tokens notice of it.

Good keys go on serving, nobody with a known key waits, and without keys it is 503 in little time.
"""

from __future__ import annotations

import concurrent.futures
import time

import pytest

from registry_token.authority_keys import MAX_WAITING, FetchedKeys
from registry_token.errors import Unavailable
from registry_token.fetch import TIME_LIMIT, fetch
from registry_token.jwks import parse_jwks
from tests.authority import jwks_bytes, new_rsa_key
from tests.caller_tokens import PULL
from tests.key_server import KeyServer, content, knows, publishing
from tests.service import free_port

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


def wait_until(condition, seconds=2.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def timed(function):
    started = time.monotonic()
    result = function()
    return result, time.monotonic() - started


BAD_ANSWERS = {
    "500": content(b"", 500),
    "404": content(b"{}", 404),
    "redirect": content(b"", 302, Location="/elsewhere"),
    "HTML": content(b"<html>log in</html>"),
    "no keys": content(b'{"keys": []}'),
    "unusable keys": content(jwks_bytes({"kty": "oct", "kid": "first", "k": "AAAA"})),
    "10 MB": content(b'{"keys": [' + b" " * 10_000_000 + b"]}"),
    "deep": content(b'{"keys":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "cut short": content(b'{"keys": [', Content_Length="1000"),
    "no HTTP": lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n") and None,
    "nothing": lambda handler: None,
    "endless header": lambda handler: (
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000) and None
    ),
}


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_a_bad_answer_never_replaces_good_keys(answer, source, server):
    assert knows(source, "first")
    server.answer = answer
    assert not knows(source, "unknown")
    wait_until(lambda: source.status().error)
    assert server.requests == ["/jwks", "/jwks"]
    assert knows(source, "first")
    status = source.status()
    assert status.key_ids == ["first"]
    assert status.seconds_left is not None
    assert 24 * 3600 - 60 < status.seconds_left < 24 * 3600


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_without_keys_a_bad_answer_is_unavailable_and_not_asked_for_again(answer, source, server):
    server.answer = answer
    for _ in range(50):
        with pytest.raises(Unavailable) as refused:
            source.find("first", "RS256")
        assert 0 < refused.value.retry_after <= 10
    assert server.requests == ["/jwks"]


def test_no_request_with_a_known_key_waits(source, server):
    assert knows(source, "first")
    server.answer = server.hang
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        unknown = [pool.submit(timed, lambda: knows(source, "unknown")) for _ in range(8)]
        wait_until(lambda: len(server.requests) == 2)
        known, seconds = timed(lambda: [knows(source, "first") for _ in range(100)])
        assert all(known)
        assert seconds < 1
        waited = sorted(future.result()[1] for future in unknown)
    # Some may wait for new keys, but unknown keys never take every thread.
    assert waited[7 - MAX_WAITING] < 1
    assert waited[7] < 3
    assert len(server.requests) == 2


OK = b"HTTP/1.1 200 OK\r\n"
DRIPS = {
    "/status": b"HTTP/1.1",
    "/header": OK + b"X: ",
    "/body": OK + b"Content-Length: 1000\r\n\r\n",
    "/chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n3e8\r\n",
    "/body-until-the-end": OK + b"Connection: close\r\n\r\n",
}


def test_a_dripping_authority_is_given_up_in_time(authority, get_token, settings, server):
    server.answer, server.beginnings = server.drip, DRIPS
    settings.AUTHORITY_JWKS = f"{server.url}/cold-start"
    with concurrent.futures.ThreadPoolExecutor(len(DRIPS)) as pool:
        fetches = [pool.submit(fetch, server.url + path) for path in DRIPS]
        response, seconds = timed(lambda: get_token(authority.token("community"), PULL))
        assert (response.status_code, response["Retry-After"]) == (503, "10")
        assert seconds < 4
        assert all(fetch.exception() is not None for fetch in fetches)
    wait_until(lambda: len(server.hung_up) == len(DRIPS) + 1, 10)
    late = {path for path, after in server.hung_up.items() if after > TIME_LIMIT + 1}
    assert late == set()


def test_a_cold_start_with_the_authority_down_is_quickly_unavailable(
    authority, get_token, settings
):
    settings.AUTHORITY_JWKS = f"http://127.0.0.1:{free_port()}/jwks"
    for _ in range(3):
        response, seconds = timed(lambda: get_token(authority.token("community"), PULL))
        assert response.status_code == 503
        assert 1 <= int(response["Retry-After"]) <= 10
        [error] = response.json()["errors"]
        assert error == {
            "code": "UNAVAILABLE",
            "message": "the Authority's keys are out of reach; try again later",
            "detail": {"reason": "authority_keys"},
        }
        assert seconds < 1
