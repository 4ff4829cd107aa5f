"""A person in the admin: logs in and sends forms, over a proxy that ends TLS or as if."""

from __future__ import annotations

import http.client
import re
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from tests.service import Service

_HIDDEN = re.compile(rb'name="csrfmiddlewaretoken" value="([^"]+)"')
_CONFIRMED = re.compile(rb'name="confirmed" value="([^"]+)"')
_CHANGE = re.compile(rb"/admin/plans/plan/\d+/change/")
_IDS = re.compile(rb'name="(rules-(?:0-id|0-plan|INITIAL_FORMS))" value="(\d+)"')


class Browser:
    """Knows one replica and its cookies."""

    def __init__(self, service: Service, user: str, password: str) -> None:
        self._port = service.port
        self._cookies: SimpleCookie = SimpleCookie()
        self.send("/admin/login/", {"username": user, "password": password, "next": "/admin/"})

    def send(self, path: str, form: dict[str, str]) -> None:
        """Open a page, send its form, and confirm what it says of it; that must succeed."""
        status, page = self._request("GET", path)
        assert status == 200, page
        hidden = _HIDDEN.search(page)
        assert hidden is not None
        form = form | {"csrfmiddlewaretoken": hidden[1].decode()}
        status, page = self._request("POST", path, urlencode(form))
        if (asked := _CONFIRMED.search(page)) is not None:
            form |= {"confirmed": asked[1].decode(), "post": "yes"}
            status, page = self._request("POST", path, urlencode(form))
        assert status == 302, page

    def revoke(self, licence: str) -> None:
        """Put a licence on the deny list."""
        self.send("/admin/licences/revokedlicence/add/", {"licence": licence, "reason": "test"})

    def add_plan(self, name: str, pattern: str) -> None:
        """A plan with one rule."""
        self.plan = name
        self.send("/admin/plans/plan/add/", _plan(name, pattern))

    def change_rule(self, pattern: str) -> None:
        """Change the one rule of the plan that was added last."""
        _, listed = self._request("GET", f"/admin/plans/plan/?q={self.plan}")
        (path,) = set(_CHANGE.findall(listed))
        _, page = self._request("GET", path.decode())
        ids = {name.decode(): value.decode() for name, value in _IDS.findall(page)}
        self.send(path.decode(), _plan(self.plan, pattern) | ids)

    def _request(self, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
        fields = {
            "X-Forwarded-Proto": "https",
            "Cookie": "; ".join(f"{name}={morsel.value}" for name, morsel in self._cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
            "Referer": f"https://127.0.0.1:{self._port}{path}",
        }
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        try:
            connection.request(method, path, body, fields)
            response = connection.getresponse()
            for field in response.msg.get_all("Set-Cookie", []):
                self._cookies.load(field)
            return response.status, response.read()
        finally:
            connection.close()


def _plan(name: str, pattern: str) -> dict[str, str]:
    """What a browser sends for a plan with one rule."""
    rule = {"effect": "allow", "type": "repository", "pattern": pattern, "actions": "pull"}
    return {
        "name": name,
        "enabled": "on",
        "reason": "test",
        "rules-TOTAL_FORMS": "1",
        "rules-INITIAL_FORMS": "0",
    } | {f"rules-0-{field}": value for field, value in rule.items()}
