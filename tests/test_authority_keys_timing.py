"""The Authority's keys over time, with times short enough to wait for."""

from __future__ import annotations

import time

import pytest

from registry_token.authority_keys import FetchedKeys, FileKeys, Timing
from registry_token.errors import Unavailable
from registry_token.jwks import parse_jwks
from tests.authority import jwks_bytes, new_rsa_key, public_jwk

ALGORITHMS = ("RS256",)


class Publisher:
    """Publishes one key under the current `kid`, or nothing while `kid` is None."""

    def __init__(self):
        self.key = new_rsa_key()
        self.kid = "first"
        self.asked = 0

    def load(self):
        self.asked += 1
        if self.kid is None:
            raise OSError("nobody answers")
        return parse_jwks(jwks_bytes(public_jwk(self.key, self.kid)), ALGORITHMS)


@pytest.fixture(scope="module")
def shared():
    return Publisher()


@pytest.fixture
def publisher(shared):
    shared.kid, shared.asked = "first", 0
    return shared


def eventually(condition):
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_an_unknown_key_is_looked_for_again_after_the_cool_down(publisher):
    source = FetchedKeys(publisher.load, Timing(cool_down=0.3))
    assert source.find("second", "RS256") is None
    publisher.kid = "second"
    assert source.find("second", "RS256") is None
    assert publisher.asked == 2
    time.sleep(0.35)
    assert source.find("second", "RS256") is not None
    assert publisher.asked == 3


def test_keys_are_refreshed_in_the_background(publisher):
    source = FetchedKeys(publisher.load, Timing(refresh_after=0.2, cool_down=0.1))
    assert source.find("first", "RS256") is not None
    publisher.kid = "second"
    time.sleep(0.25)
    source.find("first", "RS256")
    assert eventually(lambda: source.status().key_ids == ["second"])


def test_keys_go_on_serving_for_a_time_and_no_longer(publisher):
    source = FetchedKeys(publisher.load, Timing(refresh_after=0.1, cool_down=0.1, keep_for=0.6))
    assert source.find("first", "RS256") is not None
    publisher.kid = None
    time.sleep(0.3)
    assert source.find("first", "RS256") is not None
    time.sleep(0.4)
    with pytest.raises(Unavailable):
        source.find("first", "RS256")
    status = source.status()
    assert (status.key_ids, status.age) == ([], None)
    assert "nobody answers" in status.error


def test_recovers_from_a_start_without_the_authority(publisher):
    publisher.kid = None
    source = FetchedKeys(publisher.load, Timing(retry_without_keys=0.3))
    for _ in range(5):
        with pytest.raises(Unavailable) as caught:
            source.find("first", "RS256")
        assert caught.value.retry_after <= 0.3
    assert publisher.asked == 1
    publisher.kid = "first"
    time.sleep(0.35)
    assert source.find("first", "RS256") is not None


def test_keys_of_a_broken_file_serve_for_a_time_and_no_longer(publisher, tmp_path):
    path = tmp_path / "jwks.json"
    path.write_bytes(jwks_bytes(public_jwk(publisher.key, "first")))
    source = FileKeys(str(path), ALGORITHMS, keep_for=0.3)
    assert source.find("first", "RS256") is not None
    path.write_text("broken")
    assert source.find("first", "RS256") is not None
    time.sleep(0.35)
    with pytest.raises(Unavailable):
        source.find("first", "RS256")
    path.write_bytes(jwks_bytes(public_jwk(publisher.key, "second")))
    assert source.find("second", "RS256") is not None
