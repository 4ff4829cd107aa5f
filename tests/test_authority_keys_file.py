"""The Authority's keys in a file: read again when it changes, kept when the new file is no good."""

from __future__ import annotations

import concurrent.futures
import logging
import os
import sys
import threading
from pathlib import Path

import pytest

from registry_token.authority_keys import FileKeys
from registry_token.errors import Unavailable
from tests.authority import jwks_bytes, new_rsa_key, public_jwk
from tests.caller_tokens import PULL, refusal

UNKNOWN_KEY = "the access token is signed with a key that the Authority does not publish"
ALGORITHMS = ("RS256", "PS256", "ES256")


@pytest.fixture(scope="module")
def key():
    return new_rsa_key()


@pytest.fixture
def path(tmp_path, key):
    """A key file with the key `first`."""
    path = tmp_path / "keys.json"
    write(path, key, "first")
    return path


def write(path, key, kid):
    """As an operator writes it: beside it, then renamed."""
    new = Path(f"{path}.new")
    new.write_bytes(jwks_bytes(public_jwk(key, kid)))
    new.replace(path)


def knows(source, kid):
    return source.find(kid, "RS256") is not None


def test_a_rotated_key_counts_from_the_next_request(path, key):
    source = FileKeys(str(path), ALGORITHMS)
    assert knows(source, "first")
    write(path, key, "second")
    assert knows(source, "second")
    assert not knows(source, "first")


def test_a_file_written_in_place_counts_too(path, key):
    source = FileKeys(str(path), ALGORITHMS)
    assert knows(source, "first")
    stat = path.stat()
    path.write_bytes(jwks_bytes(public_jwk(key, "other")))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert knows(source, "other")


def test_an_unchanged_file_is_read_once(path):
    source = FileKeys(str(path), ALGORITHMS)
    found = source.find("first", "RS256")
    assert found is not None
    assert all(source.find("first", "RS256") is found for _ in range(100))


def emptied(path):
    path.write_bytes(b"")


def with_junk(path):
    path.write_bytes(b"<html>")


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-1])


def without_keys(path):
    path.write_bytes(b'{"keys": []}')


def replaced_by_a_folder(path):
    path.unlink()
    path.mkdir()


BREAKAGES = [Path.unlink, emptied, with_junk, cut_short, without_keys, replaced_by_a_folder]


@pytest.mark.parametrize("spoil", BREAKAGES)
def test_a_broken_file_leaves_the_good_keys_until_it_is_good_again(spoil, path, key):
    source = FileKeys(str(path), ALGORITHMS)
    assert knows(source, "first")
    spoil(path)
    assert knows(source, "first")
    status = source.status()
    assert (status.key_ids, status.error.startswith(f"{path}: ")) == (["first"], True)
    assert status.age is not None
    assert status.seconds_left is not None
    assert 0 < status.seconds_left <= 24 * 3600
    if path.is_dir():
        path.rmdir()
    write(path, key, "second")
    assert knows(source, "second")
    assert source.status().error == ""


def test_a_broken_file_is_one_line_in_the_log(path, caplog):
    source = FileKeys(str(path), ALGORITHMS)
    assert knows(source, "first")
    with_junk(path)
    with caplog.at_level(logging.ERROR):
        for _ in range(50):
            assert knows(source, "first")
    assert len(caplog.records) == 1
    assert str(path) in caplog.text


@pytest.mark.parametrize("spoil", BREAKAGES)
def test_a_file_that_never_was_good_is_unavailable(spoil, path, key):
    spoil(path)
    source = FileKeys(str(path), ALGORITHMS)
    for _ in range(3):
        with pytest.raises(Unavailable):
            source.find("first", "RS256")
    assert source.status().key_ids == []
    if path.is_dir():
        path.rmdir()
    write(path, key, "first")
    assert knows(source, "first")


def test_the_file_may_come_after_the_service(tmp_path, key):
    source = FileKeys(str(tmp_path / "later.json"), ALGORITHMS)
    with pytest.raises(Unavailable):
        source.find("first", "RS256")
    write(tmp_path / "later.json", key, "first")
    assert knows(source, "first")


def test_known_keys_are_found_in_every_thread_while_the_file_changes(path, key):
    source = FileKeys(str(path), ALGORITHMS)
    other = public_jwk(key, "other")
    missed = []

    def ask():
        missed.extend(1 for _ in range(300) if not knows(source, "first"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(50):
        if number % 2:
            with_junk(path)
        else:
            path.write_bytes(jwks_bytes(public_jwk(key, "first"), *[other] * (number % 3)))
    for thread in threads:
        thread.join()
    assert missed == []


def test_without_keys_callers_are_told_to_come_back(authority, get_token, settings, tmp_path):
    settings.AUTHORITY_JWKS = str(tmp_path / "missing.json")
    response = get_token(authority.token("community"), PULL)
    assert response.status_code == 503
    assert int(response["Retry-After"]) >= 1
    assert "WWW-Authenticate" not in response
    [error] = response.json()["errors"]
    assert error == {
        "code": "UNAVAILABLE",
        "message": "the Authority's keys cannot be read; try again later",
        "detail": {"reason": "authority_keys"},
    }


@pytest.mark.usefixtures("catalogue")
def test_rotation_over_http(authority, get_token, settings, path, key):
    settings.AUTHORITY_JWKS = str(path)
    old = authority.token("community", key=key, headers={"kid": "first"})
    new = authority.token("community", key=key, headers={"kid": "second"})
    assert get_token(old, PULL).status_code == 200
    assert refusal(get_token(new, PULL)) == UNKNOWN_KEY
    write(path, key, "second")
    assert get_token(new, PULL).status_code == 200
    assert refusal(get_token(old, PULL)) == UNKNOWN_KEY


def test_readers_are_not_disturbed_while_the_file_goes_bad_and_good(path, key):
    source = FileKeys(str(path), ALGORITHMS)
    good = path.read_bytes()
    stopping = threading.Event()

    def read():
        while not stopping.is_set():
            assert source.find("first", "RS256") is not None
            assert source.status().age is not None

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            readers = [pool.submit(read) for _ in range(4)]
            for _ in range(100):
                path.write_bytes(b"broken")
                path.write_bytes(good)
            stopping.set()
            assert [reader.exception() for reader in readers] == [None] * 4
    finally:
        stopping.set()
        sys.setswitchinterval(before)
