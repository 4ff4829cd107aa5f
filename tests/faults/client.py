"""One client of the load: asks for tokens on a connection that it keeps, and checks each answer."""

from __future__ import annotations

import http.client
import json
import select
import time
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tests.service import SERVICE

SCOPE = "repository:stella-ops/public/app:pull"
ACCESS = [{"type": "repository", "name": "stella-ops/public/app", "actions": ["pull"]}]
TOKEN_LIFETIME = 300  # seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request. Without an answer `status` is 0 and `error` says what broke."""

    at: float
    """`time.monotonic()` of the moment before the request was sent."""
    latency: float
    status: int = 0
    jti: str = ""
    retry_after: str = ""
    error: str = ""
    """Also what is wrong with a token, or with a connection before the request was sent."""
    sent: bool = True
    """Whether there was a connection to send the request on."""
    client: int = 0
    port: int = 0
    """The client's end of the connection, by which a worker can be found."""
    code: str = ""
    """Of the first entry of an error's body."""

    @property
    def good(self) -> bool:
        """200 with a token that verifies."""
        return self.status == 200 and not self.error


class Client:
    """Asks by GET and POST in turn, and behaves as good clients do: it heeds `Connection: close`,
    and leaves a connection that the server has closed while it was idle.
    """

    def __init__(
        self, url: str, number: int, token: str, user_agent: str, verifier: Verifier, timeout: float
    ) -> None:
        self.number = number
        self._token = token
        self._user_agent = user_agent
        self._verifier = verifier
        self._asked = number
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=timeout)

    def close(self) -> None:
        self._connection.close()

    def ask(self) -> Answer:
        """Send one request and check its answer."""
        started = time.monotonic()
        port = 0
        try:
            port = self._connect()
            self._send()
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            took = time.monotonic() - started
            sent = port > 0
            return Answer(started, took, 0, "", "", repr(error), sent, self.number, port)
        took = time.monotonic() - started
        jti, fault, code = self._read(response.status, body)
        retry_after = response.getheader("Retry-After", "")
        status = response.status
        return Answer(started, took, status, jti, retry_after, fault, True, self.number, port, code)

    def _connect(self) -> int:
        """Have a connection that the server has not closed; the port of its end here."""
        if self._connection.sock is not None and _is_readable(self._connection.sock.fileno()):
            self._connection.close()
        if self._connection.sock is None:
            self._connection.connect()
        port: int = self._connection.sock.getsockname()[1]
        return port

    def _send(self) -> None:
        self._asked += 1
        fields = {"User-Agent": self._user_agent}
        if self._asked % 2:
            fields["Authorization"] = f"Bearer {self._token}"
            path = f"/token?service={SERVICE}&scope={quote(SCOPE)}"
            self._connection.request("GET", path, headers=fields)
            return
        form = {"grant_type": "password", "username": "me", "password": self._token}
        fields["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode(form | {"service": SERVICE, "scope": SCOPE}).encode()
        self._connection.request("POST", "/token", body, fields)

    def _read(self, status: int, body: bytes) -> tuple[str, str, str]:
        """The token's id, what is wrong with the answer, the error's code."""
        try:
            document = json.loads(body)
            if status == 200:
                return *self._verifier.fault_of(document["token"]), ""
            return "", "", document["errors"][0]["code"]
        except (ValueError, LookupError, TypeError) as fault:
            return "", f"{fault!r} in {body[:200]!r}", ""


@dataclass(frozen=True, slots=True)
class Verifier:
    """Checks tokens as a registry does, and that they say what was asked for."""

    key: RSAPublicKey
    check_times: bool = True

    def fault_of(self, token: str) -> tuple[str, str]:
        """A token's id, and what is wrong with it."""
        try:
            claims = jwt.decode(
                token,
                self.key,
                algorithms=["RS256"],
                audience=SERVICE,
                issuer="registry-token-tests",
                options={
                    "require": ["exp", "nbf", "iat", "jti", "sub"],
                    "verify_exp": self.check_times,
                    "verify_nbf": self.check_times,
                    "verify_iat": self.check_times,
                },
            )
        except jwt.PyJWTError as error:
            return "", f"the token does not hold: {error!r}"
        if claims["access"] != ACCESS or claims["exp"] - claims["iat"] != TOKEN_LIFETIME:
            return claims["jti"], f"the token says {claims}"
        return claims["jti"], ""


def _is_readable(descriptor: int) -> bool:
    """Whether an idle connection has something to say: that it is closed."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
