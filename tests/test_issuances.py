"""The issuance log: a row for each decision, committed before the answer, without credentials."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from issuances.models import Issuance
from plans.models import CatalogueRevision
from tests.conftest import SERVICE

PULL = "repository:stella-ops/public/app:pull"

pytestmark = pytest.mark.usefixtures("catalogue")


def test_a_granted_request_is_a_row(authority, get_token, open_token):
    token = authority.token(
        "enterprise", "LIC-1", azp="x", **{"stellaops:tenant": "acme"}, jti="j1"
    )
    headers = {"User-Agent": "skopeo/1.9.3"}
    response = get_token(token, f"{PULL},push,delete", "repository:x:pull", headers=headers)
    claims = open_token(response)
    row = Issuance.objects.get()
    assert str(row.id) == str(row.jti) == claims["jti"]
    assert (row.subject, row.client_id, row.tenant) == ("alice", "ci", "acme")
    assert (row.plan, row.licence, row.service) == ("enterprise", "LIC-1", SERVICE)
    assert [entry["name"] for entry in row.requested] == ["stella-ops/public/app", "x"]
    assert row.requested[0]["actions"] == ["delete", "pull", "push"]
    assert row.granted == claims["access"]
    assert row.expires_at == datetime.fromtimestamp(claims["exp"], UTC)
    assert row.refusal == ""
    assert row.catalogue_revision == CatalogueRevision.objects.latest("number").number
    assert (row.caller_jti, row.user_agent) == ("j1", "skopeo/1.9.3")
    assert row.remote_address == "127.0.0.1"
    assert row.request_id == response["X-Request-ID"]
    assert abs(row.created_at - datetime.now(UTC)) < timedelta(seconds=10)


def test_a_refused_request_is_a_row_without_a_token(authority, get_token):
    get_token(authority.token("community"), "repository:x:pull")
    row = Issuance.objects.get()
    assert (row.jti, row.expires_at, row.granted) == (None, None, [])
    assert row.refusal == "nothing_granted"
    assert isinstance(row.id, UUID)


HOSTILE = {
    "NUL in a name": ("repository:a\0b:pull", "a\\x00b"),
    "line break": ("repository:a\nb:pull", "a\\nb"),
    "bytes that are no UTF-8": ("repository:a%FFb:pull", "a\ufffdb"),
    "terminal escape": ("repository:\x1b[31m:pull", "\\x1b[31m"),
}


@pytest.mark.parametrize(("scope", "stored"), HOSTILE.values(), ids=HOSTILE)
def test_whatever_is_asked_is_stored_in_printable_form(authority, client, scope, stored):
    from urllib.parse import quote

    query = f"service={SERVICE}&scope={quote(scope, safe='%')}"
    agent = "agent\r\n\0\udcff" + "x" * 300
    bearer = {"Authorization": f"Bearer {authority.token('community')}", "User-Agent": agent}
    assert client.get(f"/token?{query}", headers=bearer).status_code == 403
    row = Issuance.objects.get()
    assert row.requested[0]["name"] == stored
    assert row.user_agent.isprintable()
    assert len(row.user_agent) == 255


def test_an_unauthenticated_request_is_no_row(authority, get_token):
    assert get_token(authority.token("community", exp=1)).status_code == 401
    assert not Issuance.objects.exists()


def test_a_row_that_cannot_be_written_is_no_token(authority, get_token):
    with connection.cursor() as cursor:  # undone with the test's transaction
        cursor.execute("ALTER TABLE issuances_issuance RENAME TO issuances_elsewhere")
    response = get_token(authority.token("community"), PULL)
    assert response.status_code == 503
    assert response["Retry-After"]
    assert response.json()["errors"][0]["code"] == "UNAVAILABLE"
    assert "token" not in response.json()
    assert "issuances" not in response.content.decode()


def test_a_row_has_either_a_token_or_a_refusal(authority, get_token):
    get_token(authority.token("community"), PULL)
    row = Issuance.objects.get()
    for changes in ({"refusal": "x"}, {"jti": None}, {"expires_at": None}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Issuance.objects.filter(id=row.id).update(**changes)


@pytest.mark.parametrize("lookup", ["user_agent__regex=(a%2B)%2B$", "subject__regex=(", "q=x"])
def test_the_log_in_the_admin_has_no_filters_but_its_own(admin_client, lookup):
    response = admin_client.get(f"/admin/issuances/issuance/?{lookup}")
    assert response.status_code == 400
