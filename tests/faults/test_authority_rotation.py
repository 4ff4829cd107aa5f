"""The Authority changes keys under load: new tokens pass at once, old ones end with their key."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tests.authority import new_rsa_key
from tests.faults.authority_served import prepared, with_keys
from tests.faults.load import Load
from tests.key_server import KeyServer, publishing
from tests.service import Service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One worker: each looks for an unknown key when it meets one."""
    with prepared(tmp_path_factory.mktemp("rotation"), 1) as service:
        service.stop()
        yield service


@pytest.fixture
def server(service: Service) -> Iterator[KeyServer]:
    with with_keys(service) as server:
        yield server


@contextlib.contextmanager
def signing_with(service: Service, key: RSAPrivateKey, kid: str) -> Iterator[Load]:
    """Callers whose tokens are signed with this key."""
    authority = service.authority
    before = authority.key, authority.kid
    authority.key, authority.kid = key, kid
    try:
        with Load(service) as load:
            yield load
    finally:
        authority.key, authority.kid = before


def test_a_new_key_is_accepted_and_the_old_one_goes_on(service, server):
    key, kid = service.authority.key, service.authority.kid
    server.answer = publishing(key, kid, "new")
    with Load(service) as load, signing_with(service, key, "new") as newcomers:
        load.wait(100)
    assert load.failures() == []
    assert newcomers.failures() == []
    assert len(server.requests) == 2


def test_a_key_that_is_no_longer_published_is_refused_from_the_refresh_on(service, server):
    new_key = new_rsa_key()
    with Load(service) as load:
        load.wait_good(40)
        server.answer = publishing(new_key, "new")
        with signing_with(service, new_key, "new") as newcomers:
            newcomers.wait_good(1)
            refreshed = time.monotonic()
            newcomers.wait(60)
    assert newcomers.failures() == []
    assert len(server.requests) == 2
    refused = load.since(refreshed)
    assert len(refused) > 20
    # The same tokens had been verified before: what is remembered of them ends with their key.
    assert {answer.status for answer in refused} <= {401, 429}


def test_a_new_key_of_the_same_name_ends_the_old_tokens(service, server):
    """Whoever loses a key may keep its name."""
    kid, new_key = service.authority.kid, new_rsa_key()
    with Load(service) as load:
        load.wait_good(40)
        server.answer = publishing(new_key, kid, "new")
        with signing_with(service, new_key, "new") as newcomers:
            newcomers.wait_good(1)
            refreshed = time.monotonic()
            newcomers.wait(60)
    assert newcomers.failures() == []
    refused = load.since(refreshed)
    assert len(refused) > 20
    assert {answer.status for answer in refused} <= {401, 429}
