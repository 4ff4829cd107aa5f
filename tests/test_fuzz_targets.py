"""The fuzz targets hold for their seeds and near them; `make fuzz` goes on from there."""

from __future__ import annotations

import time
from io import StringIO
from ipaddress import ip_network

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.seeds import SEEDS
from tests.fuzz.targets import TARGETS
from tests.fuzz.world import CATALOGUE, PROXY, World

PROPERTY = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def world(db, authority, settings):
    from registry_token.wsgi import application

    settings.THROTTLE_FAILURES = 0
    settings.TRUSTED_PROXIES = (ip_network(PROXY),)
    call_command("load_catalogue", CATALOGUE, verbosity=0, stdout=StringIO())
    return World(authority, application)


def test_every_target_has_seeds():
    assert SEEDS.keys() == TARGETS.keys()


@pytest.mark.parametrize("name", TARGETS)
def test_holds_for_every_seed(world, name):
    for data in SEEDS[name]:
        started = time.process_time()
        TARGETS[name](world, data)
        assert time.process_time() - started < 1


@st.composite
def near(draw, name):
    """A seed with some of it replaced, or any bytes."""
    data = draw(st.sampled_from(SEEDS[name]))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 8)))
        data = data[:start] + draw(st.binary(max_size=4)) + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_holds_near_the_seeds(world, name):
    @PROPERTY
    @given(near(name) | st.binary(max_size=60))
    def holds(data):
        TARGETS[name](world, data)

    holds()
