"""What the real registry makes of tokens: those for it, those for others, forged ones."""

from __future__ import annotations

import jwt
import pytest

from issuances.statements import MANIFEST, SEAL
from registry_token import key_files
from registry_token.signing import load_signing_key
from tests.e2e.asking import get_token, granted, header_of, post_token
from tests.e2e.registry import Registry


@pytest.fixture
def registry_token(service, registry):
    token = service.authority.token("builder")
    return granted(get_token(service, token, "repository:team/trusted:pull,push"))


def test_tokens_name_their_key_as_the_registry_finds_it(request, service, registry_token):
    header = header_of(registry_token)
    with_certificate = "REGISTRY_TOKEN_SIGNING_CERTIFICATE" in service.environment
    assert ("x5c" in header) == with_certificate
    libtrust_groups = header["kid"].split(":")
    assert (len(libtrust_groups) == 12) == (not with_certificate)


def test_starts_an_upload_with_the_token_of_a_get(registry, registry_token):
    status, headers, _ = registry.request("POST", "/v2/team/trusted/blobs/uploads/", registry_token)
    assert (status, "Location" in headers) == (202, True)


def test_starts_an_upload_with_the_token_of_a_post_as_containerd_sends_it(service, registry):
    token = service.authority.token("builder")
    scopes = ("repository:team/posted:pull,push", "repository:team/posted:pull")
    registry_token = granted(post_token(service, token, *scopes))
    status, _, _ = registry.request("POST", "/v2/team/posted/blobs/uploads/", registry_token)
    assert status == 202


def test_a_token_opens_only_the_repository_it_names(registry, registry_token):
    status, headers, _ = registry.request("GET", "/v2/team/other/tags/list", registry_token)
    assert status == 401
    assert 'error="insufficient_scope"' in headers["Www-Authenticate"]
    assert 'scope="repository:team/other:pull"' in headers["Www-Authenticate"]


def test_a_token_without_access_passes_the_version_check_only(service, registry):
    registry_token = granted(get_token(service, service.authority.token("builder")))
    assert registry.request("GET", "/v2/", registry_token)[0] == 200
    assert registry.request("GET", "/v2/team/trusted/tags/list", registry_token)[0] == 401


def test_the_registry_refuses_a_token_for_another_service(service, registry):
    token = service.authority.token("builder")
    scope = "repository:team/trusted:pull,push"
    elsewhere = granted(get_token(service, token, scope, audience="mirror.example.com"))
    assert _refused(registry, elsewhere)


def test_the_registry_refuses_a_token_signed_with_another_key(registry, registry_token):
    claims = jwt.decode(registry_token, options={"verify_signature": False})
    headers = header_of(registry_token)
    headers.pop("alg")
    stranger = key_files.new_private_key()
    forged = jwt.encode(claims, stranger, algorithm="RS256", headers=headers)
    assert registry.request("GET", "/v2/", registry_token)[0] == 200
    assert _refused(registry, forged)


@pytest.mark.parametrize("typ", [SEAL, MANIFEST])
def test_the_registry_refuses_what_the_service_signs_beside_tokens(service, registry, typ):
    """Whatever else a statement says: it has no audience and no expiry."""
    certificate = service.environment.get("REGISTRY_TOKEN_SIGNING_CERTIFICATE")
    kid = "thumbprint" if certificate else "libtrust"
    key = load_signing_key(service.environment["REGISTRY_TOKEN_SIGNING_KEY"], certificate, kid)
    assert _refused(registry, key.sign_statement({"rows": 1}, typ=typ))


def _refused(registry: Registry, token: str) -> bool:
    status, headers, _ = registry.request("GET", "/v2/", token)
    return status == 401 and 'error="invalid_token"' in headers["Www-Authenticate"]
