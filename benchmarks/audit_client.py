"""An auditor's browser and programs: a session and an access token, over one kept connection."""

from __future__ import annotations

import http.client
import json
import re
import time
from dataclasses import dataclass
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from benchmarks.server import Server

USER, PASSWORD = "auditor", "the benchmark's own, of no use elsewhere"
_MAKE_USER = f"""
from django.contrib.auth.models import User
user, _ = User.objects.get_or_create(username={USER!r}, is_staff=True, is_superuser=True)
user.set_password({PASSWORD!r})
user.save()
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came, and the seconds until all of it was there."""

    status: int
    location: str
    body: bytes
    seconds: float


class Auditor:
    """Logged in at a service, and with a token for its API. Raises OSError, HTTPException."""

    def __init__(self, server: Server) -> None:
        server.manage("shell", "--no-imports", "-c", _MAKE_USER)
        scope = "registry.token.issue registry.audit.read"
        self.token = server.authority.token("community", scope=scope, exp=int(time.time()) + 80_000)
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
        self._cookies: SimpleCookie = SimpleCookie()
        form = {"username": USER, "password": PASSWORD, "next": "/admin/"}
        if self.post("/admin/login/", form).status != 302:
            raise RuntimeError("the auditor could not log in")

    def get(self, path: str) -> Answer:
        """A page with the session, what is below /api/ with the token."""
        if path.startswith("/api/"):
            return self._ask("GET", path, {"Authorization": f"Bearer {self.token}"})
        return self._ask("GET", path, {"Cookie": self._sent()})

    def post(self, path: str, form: dict[str, str], page: str | None = None) -> Answer:
        """A form with the token against forgery of its page. The seconds are those of the POST."""
        shown = self.get(page or path).body.decode()
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown)
        body = urlencode(form | {"csrfmiddlewaretoken": found[1] if found else ""})
        headers = {"Cookie": self._sent(), "Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", path, headers, body)

    def json(self, path: str) -> Any:
        """What the API answers. RuntimeError when it is an error."""
        answer = self.get(path)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {answer.body[:300]!r}")
        return json.loads(answer.body)

    def _sent(self) -> str:
        return "; ".join(f"{name}={morsel.value}" for name, morsel in self._cookies.items())

    def _ask(
        self, method: str, path: str, headers: dict[str, str], body: str | None = None
    ) -> Answer:
        started = time.perf_counter()
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError):  # kept for too long
            self._connection.close()
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
        content = response.read()
        seconds = time.perf_counter() - started
        for cookie in response.headers.get_all("Set-Cookie", []):
            self._cookies.load(cookie)
        location = response.headers.get("Location", "")
        there = urlsplit(location)
        location = there._replace(scheme="", netloc="").geturl()
        return Answer(response.status, location, content, seconds)
