"""The Authority's keys by OIDC discovery: OpenID Connect Discovery 1.0, 4."""

from __future__ import annotations

import json

import pytest
from django.conf import settings

from registry_token.authority_keys import key_source
from tests.authority import jwks_bytes, new_rsa_key, public_jwk
from tests.caller_tokens import PULL
from tests.key_server import KeyServer, content

DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture(scope="module")
def key():
    return new_rsa_key()


class DiscoveryServer(KeyServer):
    """Publishes the key `found`; `changes` replace members of the discovery document."""

    def __init__(self, key):
        super().__init__(self.publish)
        self.keys = content(jwks_bytes(public_jwk(key, "found")))
        self.changes = {}

    def publish(self, handler):
        if not handler.path.endswith(DISCOVERY):
            return self.keys(handler)
        document = {"issuer": settings.AUTHORITY_ISSUER, "jwks_uri": f"{self.url}/keys"}
        members = {k: v for k, v in (document | self.changes).items() if v is not None}
        return content(json.dumps(members).encode())(handler)


@pytest.fixture
def server(key, settings):
    """The issuer, whose keys are to be discovered."""
    with DiscoveryServer(key) as server:
        settings.AUTHORITY_JWKS = None
        settings.AUTHORITY_ISSUER = server.url
        yield server


def token(authority, key, issuer):
    return authority.token("community", key=key, headers={"kid": "found"}, iss=issuer)


@pytest.mark.usefixtures("catalogue")
def test_finds_the_keys(authority, get_token, server, key):
    assert get_token(token(authority, key, server.url), PULL).status_code == 200
    assert server.requests == [DISCOVERY, "/keys"]


@pytest.mark.parametrize("ending", ["/realms/a", "/", "/realms/a/"])
@pytest.mark.usefixtures("catalogue")
def test_looks_below_the_path_of_the_issuer(ending, authority, get_token, server, settings, key):
    settings.AUTHORITY_ISSUER = issuer = server.url + ending
    assert get_token(token(authority, key, issuer), PULL).status_code == 200
    assert server.requests == [ending.rstrip("/") + DISCOVERY, "/keys"]


OTHER_DOCUMENTS = {
    "other issuer": ({"issuer": "https://other.example.com"}, "another issuer"),
    "issuer with a slash": ({"issuer": "http://127.0.0.1/"}, "another issuer"),
    "list of issuers": ({"issuer": []}, "another issuer"),
    "no issuer": ({"issuer": None}, "another issuer"),
    "no jwks_uri": ({"jwks_uri": None}, "names no jwks_uri"),
    "jwks_uri a list": ({"jwks_uri": ["/keys"]}, "names no jwks_uri"),
    "jwks_uri a path": ({"jwks_uri": "/keys"}, "must"),
    "jwks_uri a file": ({"jwks_uri": "file:///etc/passwd"}, "must"),
    "jwks_uri in plain http": ({"jwks_uri": "http://keys.example.com/"}, "must be https"),
    "jwks_uri of a cloud": ({"jwks_uri": "http://169.254.169.254/latest/"}, "must be https"),
}


@pytest.mark.parametrize(("changes", "error"), OTHER_DOCUMENTS.values(), ids=OTHER_DOCUMENTS)
def test_refuses_another_document(changes, error, authority, get_token, server, key):
    server.changes = changes
    response = get_token(token(authority, key, server.url), PULL)
    assert response.status_code == 503
    assert error in key_source().status().error
    assert server.requests == [DISCOVERY]


def test_follows_no_redirect_to_the_document(authority, get_token, server, key):
    server.answer = content(b"", 302, Location=f"{server.url}/elsewhere")
    assert get_token(token(authority, key, server.url), PULL).status_code == 503
    assert server.requests == [DISCOVERY]


@pytest.mark.usefixtures("catalogue")
def test_a_document_that_goes_bad_leaves_the_good_keys(authority, get_token, server, key):
    good = token(authority, key, server.url)
    assert get_token(good, PULL).status_code == 200
    server.changes = {"issuer": "https://other.example.com"}
    unknown = authority.token("community", iss=server.url, headers={"kid": "unknown"})
    assert get_token(unknown, PULL).status_code == 401
    assert get_token(good, PULL).status_code == 200
    assert server.requests == [DISCOVERY, "/keys", DISCOVERY]
