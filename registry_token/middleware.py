"""What runs around the views.

Every request gets its id and its client's address. The protections of pages in a browser
(session, CSRF and so on) are Django's own, kept off the paths that no browser's page uses.
"""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from axes.middleware import AxesMiddleware
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.security import SecurityMiddleware

from issuances.identifiers import uuid7
from people.current import current_request
from registry_token.errors import MANAGEMENT_PATHS

GetResponse = Callable[[HttpRequest], HttpResponse]

REQUEST_ID_HEADER = "X-Request-ID"
# Probes come by address, from machines that know no host name.
PROBE_PATHS = ("/healthz", "/readyz")
PATHS_WITH_SESSIONS = (*MANAGEMENT_PATHS, "/api/")

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST")


class RequestContext:
    """Sets `request.request_id` and `request.client_address`; completes every answer's header.

    Only what a trusted proxy says of the request (its id, the client's address and scheme) counts.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        context: Any = request
        peer = request.META.get("REMOTE_ADDR", "")
        if _is_trusted(peer):
            context.client_address = _client_address(peer, request)
            context.request_id = _given_id(request) or _new_id()
        else:
            for header in _FORWARDED:
                request.META.pop(header, None)
            context.client_address = peer
            context.request_id = _new_id()
        response = self.get_response(request)
        response[REQUEST_ID_HEADER] = context.request_id
        response.setdefault("X-Content-Type-Options", "nosniff")
        if not response.streaming and "Content-Length" not in response:
            response["Content-Length"] = str(len(response.content))
        if request.method == "HEAD" and not response.streaming:
            response.content = b""  # RFC 9110, 9.3.2; gunicorn would complain, each time
        return response


def _is_trusted(address: str) -> bool:
    if not settings.TRUSTED_PROXIES:
        return False
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in settings.TRUSTED_PROXIES)


def _client_address(peer: str, request: HttpRequest) -> str:
    """The last address of X-Forwarded-For that is not a trusted proxy's own."""
    address = peer
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        try:
            hop_address = ipaddress.ip_address(hop.strip())
        except ValueError:
            break
        if getattr(hop_address, "scope_id", None):  # fe80::1%any text of any length
            break
        address = str(hop_address)
        if not _is_trusted(address):
            break
    return address


def _new_id() -> str:
    """Ordered by time: in the log's index the newest ids stand together, however large it is."""
    return uuid7(datetime.now(UTC)).hex


def _given_id(request: HttpRequest) -> str | None:
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if _REQUEST_ID.fullmatch(given) else None


class HostCheck:
    """Refuses requests for host names that are not ours (400), but for probes."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path not in PROBE_PATHS:
            request.get_host()
        return self.get_response(request)


class ManagementOnly:
    """Mixin: a middleware of Django's that runs only for the pages of people with a browser."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        if request.path.startswith(PATHS_WITH_SESSIONS):
            return super().__call__(request)  # type: ignore[misc]
        return self.get_response(request)


class Security(ManagementOnly, SecurityMiddleware):
    """HTTPS redirect, HSTS, Referrer-Policy and the like; settings.SECURE_CSP as in Django 6."""

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """The header fields that every page has."""
        directives = (" ".join((name, *values)) for name, values in settings.SECURE_CSP.items())
        response.setdefault("Content-Security-Policy", "; ".join(directives))
        return super().process_response(request, response)


class Session(ManagementOnly, SessionMiddleware):
    """Sessions."""


class Common(ManagementOnly, CommonMiddleware):
    """Slash appending."""


class Csrf(ManagementOnly, CsrfViewMiddleware):
    """CSRF protection."""

    def process_view(self, request: HttpRequest, *args: Any) -> Any:
        """Django calls this for every path."""
        if request.path.startswith(PATHS_WITH_SESSIONS):
            return super().process_view(request, *args)
        return None


class Authentication(ManagementOnly, AuthenticationMiddleware):
    """`request.user`."""


class SessionLimits:
    """Logs out who has been in for too long, or away for too long."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(PATHS_WITH_SESSIONS) and request.user.is_authenticated:
            _keep_or_end(request, int(time.time()))
        return self.get_response(request)


class CurrentRequest:
    """Lets the activity log know by whose request the catalogue changes."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PATHS_WITH_SESSIONS):
            return self.get_response(request)
        token = current_request.set(request)
        try:
            return self.get_response(request)
        finally:
            current_request.reset(token)


def _keep_or_end(request: HttpRequest, now: int) -> None:
    session = request.session
    began, seen = session.get("began", now), session.get("seen", now)
    if now - began > settings.SESSION_COOKIE_AGE or now - seen > settings.SESSION_IDLE_AGE:
        logout(request)
    elif "began" not in session or now - seen >= 60:  # not a write for each request
        session["began"], session["seen"] = began, now


class Messages(ManagementOnly, MessageMiddleware):
    """One-time messages."""


class ClickjackingProtection(ManagementOnly, XFrameOptionsMiddleware):
    """X-Frame-Options."""


class Lockout(ManagementOnly, AxesMiddleware):  # type: ignore[misc]
    """The page of those who are locked out."""
