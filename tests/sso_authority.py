"""An Authority that logs people in: discovery, authorization and token endpoint over HTTP.

And what a browser does to log in through it.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import secrets
import time
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

import jwt
from django.test import Client

from tests.authority import jwks_bytes, new_rsa_key, public_jwk
from tests.key_server import KeyServer, content

CLIENT = "registry-token-admin"
BEGIN, CALLBACK, LOGIN = "/admin/sso/", "/admin/sso/callback/", "/admin/login/"


class SsoAuthority(KeyServer):
    """Logs in the one `person`; `claims` replace those of the ID token, None takes one away."""

    def __init__(self) -> None:
        super().__init__(self.respond)
        self.key = new_rsa_key()
        self.signing_key: Any = self.key
        self.person: dict[str, Any] = {"sub": "1234", "preferred_username": "alice"}
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.document: dict[str, Any] = {}
        self.secret = ""
        self.refuses = False
        self.authorizations: list[str] = []  # of the token endpoint
        self._codes: dict[str, dict[str, str]] = {}

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        """Each endpoint."""
        url = urlsplit(handler.path)
        query = dict(parse_qsl(url.query))
        match url.path:
            case "/.well-known/openid-configuration":
                return content(json.dumps(self._discovery()).encode())(handler)
            case "/keys":
                return content(jwks_bytes(public_jwk(self.key, "sso")))(handler)
            case "/authorize":
                return content(b"", 302, Location=self._authorized(query))(handler)
        form = dict(parse_qsl(handler.rfile.read(int(handler.headers["Content-Length"])).decode()))
        self.authorizations.append(handler.headers.get("Authorization", ""))
        content(*self._token(form, handler.headers.get("Authorization", "")))(handler)

    def visit(self, url: str) -> str:
        """Log in there as a browser would; where it is sent back to, path and query."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=5)
        connection.request("GET", f"{parts.path}?{parts.query}")
        location = connection.getresponse().headers["Location"]
        connection.close()
        back = urlsplit(location)
        return f"{back.path}?{back.query}"

    def _discovery(self) -> dict[str, Any]:
        endpoints = {
            "jwks_uri": "/keys",
            "authorization_endpoint": "/authorize",
            "token_endpoint": "/token",
        }
        document = {name: self.url + path for name, path in endpoints.items()}
        return {"issuer": self.url} | document | self.document

    def _authorized(self, query: dict[str, str]) -> str:
        assert (query["response_type"], query["client_id"]) == ("code", CLIENT)
        assert query["code_challenge_method"] == "S256"
        assert "openid" in query["scope"].split()
        if self.refuses:
            answer = {"error": "access_denied", "state": query["state"]}
        else:
            code = secrets.token_urlsafe(16)
            self._codes[code] = query
            answer = {"code": code, "state": query["state"], "iss": self.url}
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def _token(self, form: dict[str, str], authorization: str) -> tuple[bytes, int]:
        asked = self._codes.pop(form.get("code", ""), None)  # once
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        pair = base64.b64encode(f"{CLIENT}:{quote_plus(self.secret)}".encode()).decode()
        if self.secret and authorization != f"Basic {pair}" and form.get("client_secret") is None:
            return b'{"error": "invalid_client"}', 401
        if form.get("client_secret", self.secret) != self.secret:
            return b'{"error": "invalid_client"}', 401
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
            or form["grant_type"] != "authorization_code"
        ):
            return b'{"error": "invalid_grant"}', 400
        return json.dumps({"id_token": self._id_token(asked["nonce"])}).encode(), 200

    def _id_token(self, nonce: str) -> str:
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce}
        claims |= self.person | self.claims
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"kid": "sso"} | self.header
        return jwt.encode(claims, self.signing_key, algorithm="RS256", headers=header)


def way_back(client: Client, sso: SsoAuthority, query: str = "") -> str:
    """Begin, and log in at the Authority; where the browser is sent back to."""
    response = client.get(f"{BEGIN}?{query}")
    assert response.status_code == 302
    return sso.visit(response["Location"])


def log_in(client: Client, sso: SsoAuthority, query: str = "") -> Any:
    """All of it."""
    return client.get(way_back(client, sso, query))


def is_in(client: Client) -> bool:
    return client.get("/admin/").status_code == 200


def assert_refused(client: Client, response: Any, text: str = "") -> None:
    assert response.status_code == 403
    assert text in response.content.decode()
    assert not is_in(client)
