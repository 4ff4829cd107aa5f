"""Callers whose tokens name keys that the Authority does not publish, a new one each time."""

from __future__ import annotations

import http.client
import itertools
import json
import secrets
import threading
import time

from tests.caller_tokens import raw_token
from tests.faults.load import SCOPE
from tests.service import SERVICE, Service

PATH = f"/token?service={SERVICE}&scope={SCOPE}"


class Strangers:
    """Clients that ask as fast as they can, `each` times or until leaving.

    `answers` holds status, reason and seconds of each answer; a broken connection is the status 0.
    """

    def __init__(self, service: Service, clients: int, each: int | None = None) -> None:
        self.answers: list[tuple[int, str, float]] = []
        self._service = service
        self._each = each
        self._leaving = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(clients)]

    def __enter__(self) -> Strangers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leaving.set()
        self.wait()

    def wait(self) -> None:
        """Until all have asked as often as they wanted."""
        for thread in self._threads:
            thread.join(60)

    def statuses(self) -> set[int]:
        return {status for status, _, _ in self.answers}

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._service.port, timeout=10)
        for number in itertools.count():
            if number == self._each or self._leaving.is_set():
                break
            started = time.monotonic()
            try:
                status, reason = self._ask(connection)
            except (OSError, http.client.HTTPException) as error:
                status, reason = 0, repr(error)
                connection.close()
            self.answers.append((status, reason, time.monotonic() - started))
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection) -> tuple[int, str]:
        bearer = {"Authorization": f"Bearer {stranger(self._service)}"}
        connection.request("GET", PATH, headers=bearer)
        response = connection.getresponse()
        [error] = json.loads(response.read())["errors"]
        return response.status, error["detail"].get("reason", "")


def stranger(service: Service) -> str:
    """A token that names a key nobody has; no key, no signature."""
    header = {"alg": "RS256", "typ": "at+jwt", "kid": secrets.token_hex(8)}
    return raw_token(service.authority, header, sign=lambda _: bytes(256))
