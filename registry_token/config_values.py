"""Reading single values of the configuration: text to value, or a ValueError that says the fix."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")

_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")
_HOST = re.compile(r"\*|\.?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:,\[\]]*)(?::([0-9]{1,5}))?")
# RFC 6749, 3.3: scope-token
_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")


def text(value: str) -> str:
    """Any printable text without blanks at its ends."""
    if value != value.strip() or not value.isprintable():
        raise ValueError(f"{value!r} must be printable text without blanks around it")
    return value


def boolean(value: str) -> bool:
    """true, yes, on, 1 or false, no, off, 0. A misspelt one must not pass for either."""
    lowered = value.strip().lower()
    if lowered not in _TRUE + _FALSE:
        raise ValueError(f"{value!r} must be true or false")
    return lowered in _TRUE


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """A reader of decimal numbers within bounds, both inclusive."""

    def read(value: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", value.strip()) or not least <= int(value) <= most:
            raise ValueError(f"{value!r} must be a whole number from {least} to {most}")
        return int(value)

    return read


def one_of(*choices: str) -> Callable[[str], str]:
    """A reader of one word out of `choices`."""

    def read(value: str) -> str:
        if value not in choices:
            raise ValueError(f"{value!r} must be one of {', '.join(choices)}")
        return value

    return read


def host(value: str) -> str:
    """A host name or address as in Django's ALLOWED_HOSTS."""
    if not _HOST.fullmatch(value):
        raise ValueError(f"{value!r} must be a host name without scheme and port, or .domain, or *")
    return value


def network(value: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """An address or a network in CIDR notation."""
    try:
        return ipaddress.ip_network(value)
    except ValueError:
        raise ValueError(f"{value!r} must be an address or network, e.g. 10.0.0.0/8") from None


def scope(value: str) -> str:
    """One OAuth scope: RFC 6749, 3.3."""
    if not _SCOPE.fullmatch(value):
        raise ValueError(f"{value!r} must be one scope without blanks; separate several by commas")
    return value


def group_mapping(value: str) -> tuple[str, str]:
    """A group of the Authority's and the group here that it stands for: THEIRS=OURS."""
    theirs, _, ours = (part.strip() for part in value.rpartition("="))
    if not theirs or not ours:
        raise ValueError(f"{value!r} must be THEIRS=OURS, e.g. registry-admins=administrator")
    return text(theirs), text(ours)


def algorithm(value: str) -> str:
    """A signature algorithm with public keys; `none` and HS* would let anybody forge tokens."""
    if value not in ALGORITHMS:
        raise ValueError(f"{value!r} must be one of {', '.join(ALGORITHMS)}")
    return value


def path(value: str) -> str:
    """A file's path; a relative one is taken from the project's folder."""
    if "-----BEGIN" in value:
        raise ValueError("must be the path of a PEM file, not what is in it")
    return str(BASE_DIR / text(value))


def issuer_url(value: str) -> str:
    """The Authority's issuer, compared to the letter. OIDC discovery needs it to be a URL."""
    _web_url(value)
    return value


def realm_url(value: str) -> str:
    """The public URL of /token; it ends up between quotes in a header."""
    _web_url(value)
    if '"' in value or "\\" in value:
        raise ValueError(f"{value!r} must not contain quotes or backslashes")
    return value


def jwks_location(value: str) -> str:
    """A file's path, or an https URL; http only to a loopback address, where nobody listens in."""
    if "://" not in value:
        return path(value)
    if value.startswith("file://"):
        raise ValueError(f"{value!r}: write the path itself, without file://")
    return fetchable_url(value)


def fetchable_url(value: str) -> str:
    """A URL that keys may be fetched from: https, or http to a loopback address."""
    url = _web_url(value, query_allowed=True)
    if url.scheme == "http" and not is_loopback_url(value):
        raise ValueError(f"{value!r} must be https; http is for loopback addresses only")
    return value


def database_url(value: str) -> dict[str, Any]:
    """Django's DATABASES entry of a sqlite:///PATH or postgres://USER:PASSWORD@HOST/NAME URL.

    The password never appears in an error.
    """
    try:
        url = urlsplit(value)
        if url.scheme == "sqlite":
            return _sqlite(url)
        if url.scheme in ("postgres", "postgresql"):
            return _postgres(url)
    except ImproperlyConfigured as error:
        raise ValueError(str(error)) from None
    except ValueError:
        raise ValueError(
            "is not a valid URL; write special characters as %40 for @, servers as HOST:PORT"
        ) from None
    raise ValueError("must begin with sqlite:/// or postgres://")


def _sqlite(url: SplitResult) -> dict[str, Any]:
    if url.netloc or url.query or url.fragment or not url.path.strip("/"):
        raise ImproperlyConfigured(
            "must be sqlite:///var/file.sqlite3, or sqlite:////absolute/file.sqlite3"
        )
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / unquote(url.path[1:]),
        # Closing a connection costs a checkpoint of the write-ahead log.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # Seconds that a writer waits for another before the answer is 503.
            "timeout": 1.5,
            # A transaction that reads first and writes later would fail instead of waiting.
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def _postgres(url: SplitResult) -> dict[str, Any]:
    user, at, addresses = url.netloc.rpartition("@")
    servers = [_server(address) for address in addresses.split(",")]
    one = url._replace(netloc=f"{user}{at}{addresses.partition(',')[0]}")
    database: dict[str, Any] = environ.Env.db_url_config(urlunsplit(one))
    if not database["NAME"]:
        raise ImproperlyConfigured("must name a database: postgres://USER:PASSWORD@HOST/NAME")
    # A server that is gone without a word is noticed within about ten seconds (ms, s, s).
    silence = {"tcp_user_timeout": 8000, "keepalives_idle": 4, "keepalives_interval": 2}
    options = {"connect_timeout": 2, **silence, **database.get("OPTIONS", {})}
    if len(servers) > 1:  # libpq tries them in turn
        database |= {"HOST": "", "PORT": ""}
        options["host"] = ",".join(host for host, _ in servers)
        options["port"] = ",".join(port or "5432" for _, port in servers)
    if _pool(options):
        options["pool"] = {"min_size": 1, "max_size": 16, "timeout": 2}
    if "pool" not in options:
        return {**database, "CONN_MAX_AGE": None, "OPTIONS": options}
    # Connections go back to Django's pool after each request. It hands out those that the server
    # has closed since, unless it checks them.
    return {**database, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True, "OPTIONS": options}


def _server(address: str) -> tuple[str, str | None]:
    """Host and port of HOST, HOST:PORT, or an IPv6 address in brackets instead."""
    server = _SERVER.fullmatch(address)
    if server is None:
        raise ValueError("not a server")
    return server[1].strip("[]"), server[2]


def _pool(options: dict[str, Any]) -> bool:
    try:
        return boolean(str(options.pop("pool", "false")))
    except ValueError as error:
        raise ImproperlyConfigured(f"pool: {error}") from None


def _web_url(value: str, *, query_allowed: bool = False) -> SplitResult:
    try:
        url = urlsplit(text(value))
        url.port  # noqa: B018  (raises ValueError when it is none)
    except ValueError:
        raise ValueError(f"{_without_user(value)!r} is not a URL") from None
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError(f"{_without_user(value)!r} must be a URL that begins with https://")
    if "@" in url.netloc or url.fragment or " " in value or (url.query and not query_allowed):
        raise ValueError(f"{_without_user(value)!r} must have no user, query, fragment or blank")
    return url


def _without_user(value: str) -> str:
    """A URL to be shown, whatever is wrong with it."""
    return re.sub("//.*@", "//", value)


def is_loopback_url(value: str) -> bool:
    """Whether a URL's host is localhost or a loopback address."""
    hostname = urlsplit(value).hostname or ""
    try:
        return ipaddress.ip_address(hostname).is_loopback
    except ValueError:
        return hostname == "localhost"
