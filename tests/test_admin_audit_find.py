"""The search box of the issuance log: it recognises what is pasted, and keeps no token."""

from __future__ import annotations

import base64
import json
import logging
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session

from issuances.models import Issuance
from registry_token import key_files, signing
from registry_token.key_ids import thumbprint
from tests.log_rows import resource, row, saved

pytestmark = pytest.mark.usefixtures("catalogue")

LIST = "/admin/issuances/issuance/"
PULL = "repository:stella-ops/public/app:pull"


def find(client, text):
    return client.post(f"{LIST}find/", {"q": text})


def said(response):
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


@pytest.fixture
def token(authority, get_token):
    """A registry token, as a client got it."""
    return get_token(authority.token("community", "LIC-1"), PULL).json()["token"]


def test_a_text_without_an_end_is_refused(admin_client):
    assert "too long" in said(find(admin_client, "a" * 100_000))


def test_a_token_of_endless_depth_is_only_a_part_of_one(admin_client):
    header = base64.urlsafe_b64encode(b'{"a":' + b"[" * 20_000).rstrip(b"=").decode()
    assert "only a part of a token" in said(find(admin_client, f"{header}.e30.eA"))


FOUND = {
    "licence": ("lic-9", "?licence=lic-9"),
    "subject": ("bob", "?subject=bob"),
    "address": ("2001:DB8::7", "?address=2001%3ADB8%3A%3A7"),
    "address of nobody": ("203.0.113.1", "?address=203.0.113.1"),
    "repository": ("acme/b", "?repository=acme%2Fb"),
    "tenant": ("acme", "?tenant=acme"),
    "client": ("web", "?client=web"),
    "plan": ("trial", "?plan=trial"),
    "service": ("mirror.example.com", "?service=mirror.example.com"),
    "blanks around it": ("  bob\n", "?subject=bob"),
}


@pytest.mark.parametrize(("text", "query"), FOUND.values(), ids=FOUND)
def test_leads_to_the_rows_that_have_it(admin_client, text, query):
    saved(
        row(
            licence="LIC-9",
            subject="bob",
            remote_address="2001:db8::7",
            requested=[resource("acme/b", "pull")],
            tenant="acme",
            client_id="web",
            plan="trial",
            service="mirror.example.com",
        )
    )
    response = find(admin_client, text)
    assert (response.status_code, response["Location"]) == (302, LIST + query)


def test_leads_to_the_row_of_a_jti_or_of_a_request_id(admin_client):
    one, other = saved(
        row(request_id="request-1"), row(request_id="01932f5b1c2d7a3e9f002b4c6d8e0f12")
    )
    assert find(admin_client, str(one.id).upper())["Location"] == f"{LIST}{one.id}/change/"
    assert find(admin_client, "request-1")["Location"] == f"{LIST}{one.id}/change/"
    assert find(admin_client, other.request_id)["Location"] == f"{LIST}{other.id}/change/"


def test_leads_from_the_error_that_somebody_got_to_its_row(admin_client, authority, get_token):
    error = get_token(authority.token("community", "LIC-1"), PULL.replace("pull", "push"))
    assert error.status_code == 403
    refused = Issuance.objects.get()
    assert find(admin_client, error.content.decode())["Location"] == f"{LIST}{refused.id}/change/"


IMAGES = [
    "repository:acme/b:pull,push",
    "registry.example.com/acme/b:1.2",
    "docker pull registry.example.com/acme/b",
]


@pytest.mark.parametrize("text", IMAGES)
def test_leads_from_a_scope_or_an_image_to_the_rows_of_its_repository(admin_client, text):
    saved(row(requested=[resource("acme/b", "pull")]))
    assert find(admin_client, text)["Location"] == f"{LIST}?repository=acme%2Fb"
    assert find(admin_client, text.replace("acme/b", "acme/c"))["Location"] == LIST


def test_leads_to_all_rows_of_a_request_id_that_is_not_unique(admin_client):
    saved(row(request_id="same"), row(request_id="same"))
    assert find(admin_client, "same")["Location"] == f"{LIST}?request_id=same"


def test_asks_what_is_meant_when_it_is_several_things(admin_client):
    saved(row(subject="acme", tenant="acme"))
    page = find(admin_client, "acme").content.decode()
    assert f'href="{LIST}?subject=acme"' in page
    assert f'href="{LIST}?tenant=acme"' in page


@pytest.mark.parametrize("text", ["nobody", "x" * 300, "", "a\0b"])
def test_says_when_nothing_has_it(admin_client, text):
    saved(row())
    response = find(admin_client, text)
    assert response["Location"] == LIST
    assert "No row has this as its jti, request id, licence" in said(response)


AROUND = [
    "{}",
    "  {}\n",
    "Bearer {}",
    "Authorization: Bearer {}",
    '{{"token":"{}","expires_in":300}}',
]


@pytest.mark.parametrize("around", AROUND)
def test_a_registry_token_leads_to_its_row(admin_client, token, around):
    response = find(admin_client, around.format(token))
    assert response["Location"] == f"{LIST}{Issuance.objects.get().id}/change/"
    assert "The token is genuine; it expires at" in said(response)


def test_a_token_that_was_wrapped_leads_to_its_row(admin_client, token):
    wrapped = "\n".join(token[start : start + 64] for start in range(0, len(token), 64))
    assert "/change/" in find(admin_client, wrapped)["Location"]


def test_a_token_that_has_expired_is_said_to_be_genuine(admin_client, token):
    at = datetime(2026, 1, 2, 3, 4, 0, tzinfo=UTC)
    issued = Issuance.objects.get()
    old = signing.issue(
        subject="alice", audience="registry.example.com", access=(), jti=issued.id, now=at
    )
    response = find(admin_client, old.encoded)
    assert response["Location"] == f"{LIST}{issued.id}/change/"
    assert "genuine; it expired at 2026-01-02 03:08:55 UTC" in said(response)


def test_says_when_the_row_of_a_genuine_token_is_gone(admin_client, token):
    Issuance.objects.all().delete()
    response = find(admin_client, token)
    assert response["Location"] == LIST
    assert "genuine" in said(response)
    assert "The log has no row of it" in said(response)


def altered(token):
    """The same with another subject under the old signature."""
    header, claims, signature = token.split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "==")) | {"sub": "eve"}
    encoded = base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode()
    return f"{header}.{encoded}.{signature}"


def signed_by_another_key(token, *, kid=None, **changes):
    _, claims, _ = token.split(".")
    changed = json.loads(base64.urlsafe_b64decode(claims + "==")) | changes
    key = key_files.new_private_key()
    return signing.SigningKey(key, kid or thumbprint(key.public_key()), (), None).sign(changed)


def our_kid():
    return signing.signing_key().kid


NOT_OURS = {
    "altered": (altered, "The signature is wrong"),
    # So that what is left of the signature is never base64.
    "cut off": (lambda token: token[:-21], "only a part of a token"),
    "the half": (lambda token: token[:300], "only a part of a token"),
    "forged": (lambda token: signed_by_another_key(token, kid=our_kid()), "The signature is wrong"),
    "former key": (signed_by_another_key, "another key than the service's present one"),
    "of another issuer": (
        lambda token: signed_by_another_key(token, iss="https://elsewhere.example.com"),
        "not issued by this service",
    ),
    "not signed": (
        lambda token: "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0." + token.split(".")[1] + ".",
        "another key than",
    ),
    "a statement": (
        lambda token: signing.signing_key().sign_statement(
            {"iss": settings.SIGNING_ISSUER, "jti": str(Issuance.objects.get().id)},
            typ="issuance-seal+jws",
        ),
        "none of its registry tokens",
    ),
}


@pytest.mark.parametrize(("changed", "message"), NOT_OURS.values(), ids=NOT_OURS)
def test_says_plainly_why_a_token_leads_nowhere(admin_client, token, changed, message):
    response = find(admin_client, changed(token))
    assert response["Location"] == LIST
    assert message in said(response)


def test_an_access_token_of_the_authority_is_not_handled(admin_client, authority):
    response = find(admin_client, authority.token("community"))
    assert response["Location"] == LIST
    assert "access token of the Authority" in said(response)
    assert "Paste the registry token" in said(response)


def test_without_a_signing_key_a_token_cannot_be_verified(admin_client, token, settings):
    settings.SIGNING_KEY = None
    assert "no signing key" in said(find(admin_client, token))


@pytest.mark.parametrize("kind", ["registry", "authority", "altered"])
def test_a_pasted_token_is_kept_nowhere(admin_client, authority, token, kind, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    pasted = {
        "registry": token,
        "authority": authority.token("community"),
        "altered": altered(token),
    }[kind]
    response = find(admin_client, pasted)
    shown = admin_client.get(response["Location"])
    sessions = " ".join(str(one.get_decoded()) for one in Session.objects.all())
    for part in pasted.split(".")[1:]:
        for kept in (response["Location"], said(response), shown.content.decode(), sessions):
            assert part not in kept
        assert part not in caplog.text + "".join(capfd.readouterr())


def test_is_only_posted(admin_client, token):
    assert admin_client.get(f"{LIST}find/", {"q": token}).status_code == 405
