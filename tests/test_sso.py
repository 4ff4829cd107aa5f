"""Logging in through the Authority: OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9207."""

from __future__ import annotations

import time
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from people.models import Action, Activity, SsoIdentity
from tests.authority import new_rsa_key
from tests.sso_authority import (
    BEGIN,
    CALLBACK,
    CLIENT,
    LOGIN,
    assert_refused,
    is_in,
    log_in,
    way_back,
)

pytestmark = pytest.mark.django_db


def test_lets_in_whom_the_authority_vouches_for(client, sso):
    response = log_in(client, sso)
    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert is_in(client)
    user = User.objects.get()
    assert (user.username, user.is_staff, user.is_superuser) == ("alice", True, False)
    assert not user.has_usable_password()
    assert [group.name for group in user.groups.all()] == ["administrator"]
    assert (SsoIdentity.objects.get().issuer, SsoIdentity.objects.get().subject) == (
        sso.url,
        "1234",
    )
    assert Activity.objects.get().action == Action.LOGGED_IN


def test_the_log_in_page_shows_the_way(client, sso):
    page = client.get(f"{LOGIN}?next=/admin/plans/plan/").content.decode()
    assert "Log in with 127.0.0.1" in page
    assert f'href="{BEGIN}?next=%2Fadmin%2Fplans%2Fplan%2F"' in page
    assert 'name="password"' in page


def test_without_configuration_there_is_no_single_sign_on(client):
    assert "Log in with" not in client.get(LOGIN).content.decode()
    for path in (BEGIN, CALLBACK):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize("path", [BEGIN, CALLBACK])
def test_the_pages_are_only_read(client, sso, path):
    assert client.post(path).status_code == 405


def test_the_cookie_is_for_this_way_alone(client, sso):
    cookie = client.get(BEGIN).cookies["sso"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", BEGIN)
    assert cookie["max-age"] == 600
    assert "sessionid" not in client.cookies


@pytest.mark.parametrize("methods", [None, ["client_secret_basic"], ["client_secret_post"]])
def test_proves_who_the_admin_is_when_it_has_a_secret(client, sso, settings, methods):
    sso.secret = settings.SSO_CLIENT_SECRET = "the secret: 100 %"
    if methods:
        sso.document["token_endpoint_auth_methods_supported"] = methods
    assert log_in(client, sso).status_code == 302
    assert bool(sso.authorizations[0]) == (methods != ["client_secret_post"])
    settings.SSO_CLIENT_SECRET = "another"
    assert log_in(Client(), sso).status_code == 503


WRONG_CLAIMS = {
    "nonce of another log-in": {"nonce": "other"},
    "no nonce": {"nonce": None},
    "nonce a number": {"nonce": 1},
    "other audience": {"aud": "registry-token"},
    "no audience": {"aud": None},
    "several audiences without azp": {"aud": [CLIENT, "other"]},
    "azp of another client": {"aud": [CLIENT, "other"], "azp": "other"},
    "other issuer": {"iss": "https://other.example.com"},
    "no issuer": {"iss": None},
    "expired": {"exp": int(time.time()) - 3600},
    "no expiry": {"exp": None},
    "issued in the future": {"iat": int(time.time()) + 3600},
    "no time of issue": {"iat": None},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
    "long subject": {"sub": "s" * 256},
    "unprintable subject": {"sub": "a\nb"},
    "subject a number": {"sub": 1234},
}


@pytest.mark.parametrize("claims", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_refuses_an_id_token_that_proves_nothing(client, sso, claims):
    sso.claims = claims
    assert_refused(client, log_in(client, sso), "could not be accepted")
    assert not User.objects.exists()
    assert Activity.objects.get().action == Action.LOGIN_FAILED


@pytest.mark.parametrize("header", [{"typ": "at+jwt"}, {"kid": "other"}, {"crit": ["x"], "x": 1}])
def test_refuses_an_id_token_with_a_wrong_header(client, sso, header):
    sso.header = header
    assert_refused(client, log_in(client, sso))


def test_refuses_an_id_token_signed_by_somebody_else(client, sso):
    sso.signing_key = new_rsa_key()
    assert_refused(client, log_in(client, sso))


def test_takes_several_audiences_when_the_admin_is_the_authorized_party(client, sso):
    sso.claims = {"aud": ["other", CLIENT], "azp": CLIENT}
    assert log_in(client, sso).status_code == 302


def test_an_answer_counts_once(client, sso):
    back = way_back(client, sso)
    assert client.get(back).status_code == 302
    client.post("/admin/logout/")
    assert_refused(client, client.get(back), "not begun here")


def test_an_answer_to_another_browser_does_not_count(client, sso):
    back = way_back(Client(), sso)
    assert_refused(client, client.get(back), "not begun here")
    client.get(BEGIN)
    assert_refused(client, client.get(back), "not begun here")


def test_a_changed_cookie_does_not_count(client, sso):
    back = way_back(client, sso)
    client.cookies["sso"] = client.cookies["sso"].value[:-1] + "x"
    assert_refused(client, client.get(back), "not begun here")


def test_an_answer_of_another_issuer_does_not_count(client, sso):
    back = way_back(client, sso).partition("&iss=")[0]
    assert_refused(client, client.get(f"{back}&iss=https://other.example.com"))


def test_a_code_needs_the_verifier_of_its_own_log_in(client, sso):
    stolen = dict(parse_qsl(urlsplit(way_back(Client(), sso)).query))["code"]
    mine = dict(parse_qsl(urlsplit(way_back(client, sso)).query)) | {"code": stolen}
    assert_refused(client, client.get(CALLBACK, mine), "could not be accepted")


@pytest.mark.parametrize("query", ["", "state=", "state=é", "state=x&code=y"])
def test_an_answer_to_nothing_is_refused(client, sso, query):
    assert_refused(client, client.get(f"{CALLBACK}?{query}"), "not begun here")
    client.get(BEGIN)
    assert_refused(client, client.get(f"{CALLBACK}?{query}"), "not begun here")


def test_a_refusal_of_the_authority_is_one(client, sso):
    sso.refuses = True
    assert_refused(client, log_in(client, sso))


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ("/admin/plans/plan/", "/admin/plans/plan/"),
        ("/admin/plans/plan/%3Fq%3Da", "/admin/plans/plan/?q=a"),
        ("https://evil.example.com/", "/admin/"),
        ("//evil.example.com/admin/", "/admin/"),
        ("/admin//evil.example.com", "/admin//evil.example.com"),
        ("%5C%5Cevil.example.com", "/admin/"),
        ("/token", "/admin/"),
        ("javascript:alert(1)", "/admin/"),
        ("", "/admin/"),
    ],
)
def test_leads_to_the_page_that_was_wanted_and_never_elsewhere(client, sso, wanted, there):
    assert log_in(client, sso, f"next={wanted}")["Location"] == there


def test_passwords_can_be_switched_off(client, sso, settings):
    User.objects.create_superuser("root", password="the password")
    settings.SSO_LOCAL_LOGIN = False
    assert 'name="password"' not in client.get(LOGIN).content.decode()
    form = {"username": "root", "password": "the password"}
    assert client.post(LOGIN, form).status_code == 403
    assert not is_in(client)
    assert log_in(client, sso).status_code == 302


def test_an_authority_that_is_down_is_said_so_and_passwords_still_work(client, sso, settings):
    User.objects.create_superuser("root", password="the password")
    settings.AUTHORITY_ISSUER = "http://127.0.0.1:9"
    response = client.get(BEGIN)
    assert response.status_code == 503
    assert "does not answer" in response.content.decode()
    client.post(LOGIN, {"username": "root", "password": "the password"})
    assert is_in(client)


def test_an_authority_that_goes_down_on_the_way_is_said_so(client, sso, settings):
    back = way_back(client, sso)
    sso.document["token_endpoint"] = "http://127.0.0.1:9/token"
    response = client.get(back)
    assert response.status_code == 503
    assert not is_in(client)


DOCUMENTS = [
    {"issuer": "https://other.example.com"},
    {"authorization_endpoint": None},
    {"authorization_endpoint": "javascript:alert(1)"},
    {"authorization_endpoint": "http://authority.example.com/authorize"},
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_discovery_document_that_misleads_is_not_followed(client, sso, document):
    sso.document = document
    assert client.get(BEGIN).status_code == 503
