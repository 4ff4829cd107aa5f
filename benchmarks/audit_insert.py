"""`python -m benchmarks.audit_insert SECONDS`: how many rows a second a worker's threads commit.

Runs on a service's configuration and database, by the code that commits a token's row.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from registry_token.record import Row

_THREADS = 8  # as a worker has


def main(seconds: str) -> None:
    """Write the rate."""
    django.setup()
    from registry_token import database, record
    from registry_token.logs import encoded

    facts = record.assumed_facts(database.deadline())
    numbers, done = itertools.count(), [0] * _THREADS

    def write(thread: int) -> None:
        while time.monotonic() < until:
            one = _row(next(numbers), facts.catalogue.revision.number)
            assert record.commit(one, encoded(one._asdict()), facts, database.deadline())
            done[thread] += 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(_THREADS)]
    started = time.monotonic()
    until = started + float(seconds)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdout.write(f"{sum(done) / (time.monotonic() - started)}\n")


def _row(number: int, revision: int) -> Row:
    """A token of one of twenty thousand callers, granted now."""
    from issuances.identifiers import uuid7
    from registry_token.access import AccessEntry
    from registry_token.record import Row

    now = datetime.now(UTC)
    row_id, caller = uuid7(now), number * 7919 % 20_000
    access: list[AccessEntry] = [
        {"type": "repository", "name": f"team-{caller % 400}/app", "actions": ["pull"]}
    ]
    return Row(
        id=row_id,
        created_at=now,
        request_id=row_id.hex,
        subject=f"user-{caller}",
        client_id=f"ci-{caller % 30}",
        tenant=f"tenant-{caller % 900}",
        plan=f"plan-{caller % 40}",
        licence=f"LIC-{caller % 3000:04}",
        service="registry.example.com",
        requested=access,
        granted=access,
        jti=row_id,
        expires_at=now + timedelta(minutes=5),
        refusal="",
        catalogue_revision=revision,
        caller_jti=row_id.hex[:16],
        remote_address=f"10.1.{caller % 250}.7",
        user_agent="docker/27.3.1",
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
