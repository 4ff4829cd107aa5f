"""The primary goes, a standby at another address takes its place; the URL names both.

Replication is synchronous, so that no row can be lost with the primary.
"""

from __future__ import annotations

import time

import pytest

from tests.faults.load import Load, check_rows
from tests.faults.outage import cut_off, is_refused_well, unlike_an_outage
from tests.faults.postgres import Postgres
from tests.service import Service

# Seconds from the promotion on. To find out that an address is silent takes two of them, each time.
TAKEOVER = 3
TAKEOVER_FROM_SILENCE = 8


@pytest.fixture
def cluster():
    """A primary and its standby."""
    with Postgres() as primary, primary.standby() as standby:
        primary.commit_with_standby()
        yield primary, standby


def crash(primary):
    """It is gone."""
    primary.stop("immediate")


def hang(primary):
    """As when its machine has died: nobody refuses a connection, nobody answers."""
    primary.freeze()


def demote(primary):
    """It is there, and writes no more; sessions go on."""
    primary.alter_system("default_transaction_read_only", "on")


@pytest.mark.parametrize("lose", [crash, hang, demote])
def test_the_new_primary_is_found_without_a_restart(cluster, tmp_path, lose):
    primary, standby = cluster
    addresses = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    url = f"postgres://postgres@{addresses}/registry?target_session_attrs=read-write"
    takeover = TAKEOVER_FROM_SILENCE if lose is hang else TAKEOVER
    environment = {"REGISTRY_TOKEN_DATABASE_URL": url}
    with Service(tmp_path, environment) as service, Load(service, clients=8, rate=80) as load:
        load.wait_good(80)
        losing = time.monotonic()
        lose(primary)
        lost = time.monotonic()
        time.sleep(3)
        promoting = time.monotonic()
        standby.promote()
        promoted = time.monotonic()
        load.wait_good(40, timeout=takeover)
        time.sleep(max(0, promoted + takeover - time.monotonic()))
        load.wait_good(40)
    between = load.since(lost + 0.2, until=promoting - 0.5)
    assert between
    assert [answer for answer in between if not is_refused_well(answer)] == []
    assert unlike_an_outage(load.answers) == []
    assert [answer for answer in load.since(promoted + takeover) if not answer.good] == []
    cut = cut_off(load.answers, losing) + cut_off(load.answers, lost)
    assert check_rows(load, standby.url) <= cut
