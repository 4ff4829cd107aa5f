"""POST /token, as Distribution's docs/content/spec/auth/oauth.md describes it."""

from __future__ import annotations

import pytest
from django.test.client import FakePayload

from tests.conftest import SERVICE, basic

PULL = "repository:stella-ops/public/app:pull"

pytestmark = pytest.mark.usefixtures("catalogue")


@pytest.mark.parametrize("grant_type", ["password", "refresh_token"])
def test_takes_the_token_in_the_field_of_its_grant(authority, post_token, open_token, grant_type):
    token = authority.token("community")
    response = post_token(grant_type=grant_type, scope=PULL, **{grant_type: token})
    assert open_token(response)["access"][0]["actions"] == ["pull"]
    assert "refresh_token" not in response.json()
    assert response["Cache-Control"] == "no-store"


def test_every_way_in_gives_the_same_answer(authority, get_token, post_token, open_token):
    token = authority.token("enterprise", "LIC-1")
    scope = f"{PULL} repository:stella-ops/internal/x:pull,push registry:catalog:*"
    answers = [
        get_token(token, scope),
        get_token(None, scope, headers={"Authorization": basic(token)}),
        post_token(grant_type="password", username="x", password=token, scope=scope),
        post_token(grant_type="refresh_token", refresh_token=token, scope=scope.split(" ")),
    ]
    opened = [open_token(answer) for answer in answers]
    for claims in opened:
        for changing in ("iat", "nbf", "exp", "jti"):
            claims.pop(changing)
        assert claims == opened[0]


def test_every_way_in_refuses_alike(authority, get_token, post_token):
    token = authority.token("community", "lic-0007 ")
    answers = [
        get_token(token, PULL),
        get_token(None, PULL, headers={"Authorization": basic(token)}),
        post_token(grant_type="password", password=token, scope=PULL),
        post_token(grant_type="refresh_token", refresh_token=token, scope=PULL),
    ]
    for answer in answers:
        error = answer.json()["errors"][0]
        assert answer.status_code == 403
        assert (error["code"], error["detail"]["reason"]) == ("DENIED", "licence_revoked")


def test_a_charset_of_the_form_does_not_matter(authority, client):
    form = f"grant_type=password&password={authority.token('community')}&service={SERVICE}"
    for charset in ("; charset=utf-8", "; charset=bogus", ""):
        media_type = f"application/x-www-form-urlencoded{charset}"
        response = client.generic("POST", "/token", form, content_type=media_type)
        assert response.status_code == 200


def test_parameters_in_the_url_are_not_read(authority, client):
    form = f"grant_type=password&password={authority.token('community')}&service={SERVICE}"
    media_type = "application/x-www-form-urlencoded"
    response = client.post(f"/token?service=other&scope={PULL}", form, content_type=media_type)
    assert response.status_code == 200
    assert response.json()["scope"] == ""


def test_a_header_may_carry_the_credential(authority, post_token):
    bearer = {"Authorization": f"Bearer {authority.token('community')}"}
    assert post_token(grant_type="password", scope=PULL, headers=bearer).status_code == 200


MALFORMED = {
    "no grant type": ({"password": "x"}, "grant_type must be"),
    "another grant type": ({"grant_type": "client_credentials"}, "grant_type must be"),
    "no service": ({"grant_type": "password", "password": "x", "service": None}, "service is"),
    "two passwords": ({"grant_type": "password", "password": ["x", "y"]}, "2 different values"),
    "two credentials": (
        {"grant_type": "password", "password": "x", "headers": {"Authorization": "Bearer y"}},
        "two credentials",
    ),
}


@pytest.mark.parametrize(("form", "message"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_form_is_told_so(post_token, form, message):
    response = post_token(**form)
    assert response.status_code == 400
    assert message in response.json()["errors"][0]["message"]


@pytest.mark.parametrize("media_type", ["application/json", "multipart/form-data", "text/plain"])
def test_only_forms_are_read(client, media_type):
    response = client.post("/token", "{}", content_type=media_type)
    assert response.status_code == 415
    assert "x-www-form-urlencoded" in response.json()["errors"][0]["message"]


def test_a_form_without_a_body_is_malformed(client):
    response = client.post("/token", "", content_type="application/x-www-form-urlencoded")
    assert response.status_code == 400


def test_a_form_without_its_credential_is_not_anonymous(post_token, settings):
    settings.PLANS_ANONYMOUS = "community"
    assert post_token(grant_type="password", scope=PULL).status_code == 401


def test_a_form_of_more_than_64_kib_is_too_large(post_token):
    response = post_token(grant_type="password", password="x" * 65_536)
    assert response.status_code == 413
    assert response.json()["errors"][0]["code"] == "UNSUPPORTED"


def test_a_form_that_breaks_off_is_malformed(client):
    class BrokenOff(FakePayload):
        def read(self, *args):
            raise OSError("connection reset")

    response = client.generic(
        "POST",
        "/token",
        **{
            "wsgi.input": BrokenOff(),
            "CONTENT_LENGTH": "10",
            "CONTENT_TYPE": "application/x-www-form-urlencoded",
        },
    )
    assert response.status_code == 400
    assert "before its announced length" in response.json()["errors"][0]["message"]
