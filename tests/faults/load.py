"""A constant load of valid token requests, every answer of which is checked."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable

from tests.faults.client import SCOPE, Answer, Client, Verifier
from tests.faults.rows import issued
from tests.service import Service

__all__ = ["SCOPE", "Answer", "Load", "check_rows"]


class Load:
    """Clients that ask for tokens from entering to leaving, each on a connection that it keeps.

    `rate` is requests a second of all clients together, None for as many as they can. A connection
    that breaks after a request was sent is a failure; so is one that is refused, but not `sent`.
    """

    def __init__(
        self,
        service: Service,
        *,
        urls: Iterable[str] = (),
        clients: int = 4,
        rate: float | None = 100,
        timeout: float = 10,
        check_times: bool = True,
    ) -> None:
        self.service = service
        self.urls = tuple(urls) or (service.url,)
        self.clients = clients
        self.answers: list[Answer] = []
        self.user_agent = f"load-{secrets.token_hex(6)}"
        self._pause = clients / rate if rate else 0.0
        self._timeout = timeout
        self._verifier = Verifier(service.signing_key.public_key(), check_times)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=[number], daemon=True)
            for number in range(clients)
        ]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """No more requests; those in flight are waited for."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(self._timeout * 2)
        assert not any(thread.is_alive() for thread in self._threads), "a client hangs"

    def since(self, moment: float, until: float = float("inf")) -> list[Answer]:
        """The answers to requests sent from a moment on (of `time.monotonic`)."""
        return [answer for answer in list(self.answers) if moment <= answer.at < until]

    def good(self) -> list[Answer]:
        """The answers with a token that verifies."""
        return [answer for answer in list(self.answers) if answer.good]

    def failures(self) -> list[Answer]:
        """All that is not a 200 with a good token."""
        return [answer for answer in list(self.answers) if not answer.good]

    def wait(self, count: int, timeout: float = 10) -> None:
        """Wait for this many more answers, whatever they are."""
        self._wait(lambda: len(self.answers), count, timeout)

    def wait_good(self, count: int, timeout: float = 10) -> float:
        """Wait for this many more good answers; how long that took."""
        started = time.monotonic()
        self._wait(lambda: len(self.good()), count, timeout)
        return time.monotonic() - started

    def _wait(self, counted: Callable[[], int], count: int, timeout: float) -> None:
        deadline, wanted = time.monotonic() + timeout, counted() + count
        while counted() < wanted:
            if time.monotonic() > deadline:
                missing = wanted - counted()
                raise AssertionError(f"{missing} of {count} answers are missing; {self.summary()}")
            time.sleep(0.01)

    def summary(self) -> str:
        """What the last answers were, for the messages of assertions."""
        return f"{len(self.answers)} answers, the last are {self.answers[-3:]}"

    def _run(self, number: int) -> None:
        url = self.urls[number % len(self.urls)]
        token = self.service.authority.token("community", sub=f"client-{number}", exp=2**32)
        client = Client(url, number, token, self.user_agent, self._verifier, self._timeout)
        due = time.monotonic() + self._pause * number / self.clients
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            self.answers.append(client.ask())
            due = max(due + self._pause, time.monotonic())
        client.close()


def check_rows(load: Load, database: str = "") -> int:
    """Assert that each token has exactly one row; how many rows have no token that came through.

    Rows of other clients do not count. `database` is a URL, the service's without.
    """
    answered = [answer.jti for answer in list(load.answers) if answer.jti]
    assert len(set(answered)) == len(answered), "a token was answered twice"
    url = database or load.service.environment["REGISTRY_TOKEN_DATABASE_URL"]
    ids = issued(url, load.user_agent)
    assert len(set(ids)) == len(ids), "a token has two rows"
    assert set(answered) - set(ids) == set(), "a token has no row"
    return len(set(ids) - set(answered))
