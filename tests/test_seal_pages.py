"""Seals where people and programs see them: the page, a row's proof, what is overdue."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from issuances.sealing.making import newest_head
from issuances.verify import main
from registry_token import log_size
from registry_token.signing import signing_key
from tests.log_rows import row, saved
from tests.sealed_log import SIZE, change, filled, seal, sealed_log
from tests.test_statements import pem_of

pytestmark = pytest.mark.django_db

AUDIT = "registry.audit.read"


@pytest.fixture
def ask(client, authority):
    """For a row's proof, with an access token."""

    def ask(row_id):
        headers = {"Authorization": f"Bearer {authority.token(scope=AUDIT)}"}
        return client.get(f"/api/v1/issuances/{row_id}/proof", headers=headers)

    return ask


@pytest.fixture
def auditor(client_with):
    return client_with("view_issuance")


def page_of(one):
    return f"/admin/issuances/issuance/{one.id}/change/"


def proof_url(one):
    return f"/admin/issuances/issuance/{one.id}/proof.json"


def reason(response):
    assert response.status_code == 404
    (error,) = response.json()["errors"]
    return error["detail"]["reason"], error["message"]


def proves(response, one, folder):
    """Whether the answer convinces the program that has nothing but the key."""
    (folder / "proof.json").write_bytes(response.content)
    (folder / "key.pem").write_bytes(pem_of(signing_key().private_key))
    assert f'filename="issuance-{one.id}.proof.json"' in response["Content-Disposition"]
    assert "no-store" in response["Cache-Control"]
    return main([f"--key={folder / 'key.pem'}", f"--proof={folder / 'proof.json'}"]) == 0


def test_the_api_gives_the_proof_of_a_row(ask, tmp_path):
    one = sealed_log()[13]
    response = ask(one.id)
    assert response.status_code == 200
    assert proves(response, one, tmp_path)


def test_the_api_says_why_there_is_no_proof(ask):
    rows = sealed_log()
    (young,) = saved(row(100))
    code, message = reason(ask(young.id))
    assert (code, "not sealed yet: it is sealed by the next run" in message) == (
        "not_sealed_yet",
        True,
    )
    assert reason(ask(uuid4()))[0] == "no_such_row"
    change(rows[13], subject="mallory")
    code, message = reason(ask(rows[13].id))
    assert (code, "no longer what was sealed in batch 2" in message) == ("altered", True)
    assert ask("1").status_code == 400


def test_a_rows_page_has_its_seal_and_its_proof(auditor, tmp_path):
    one = sealed_log()[13]
    page = auditor.get(page_of(one)).content.decode()
    assert "Sealed in batch 2 at " in page
    assert proof_url(one) in page
    assert "<code>python -m issuances.verify --key KEY --proof FILE</code> checks it" in page
    assert "It came late" not in page
    assert proves(auditor.get(proof_url(one)), one, tmp_path)


def test_a_late_rows_page_says_so(auditor):
    sealed_log()
    (late,) = saved(row(3.5))
    seal(everything=True)
    assert "It came late" in auditor.get(page_of(late)).content.decode()


def test_a_row_that_is_not_sealed_yet_says_so(auditor):
    (one,) = filled(1)
    page = auditor.get(page_of(one)).content.decode()
    assert "Not sealed yet." in page
    assert proof_url(one) not in page
    answer = auditor.get(proof_url(one), follow=True)
    assert answer.redirect_chain == [(page_of(one), 302)]
    assert "The row is not sealed yet" in answer.content.decode()


def test_an_altered_row_has_no_proof_but_a_message(auditor):
    one = sealed_log()[13]
    change(one, subject="mallory")
    said = auditor.get(proof_url(one), follow=True).content.decode()
    assert "no longer what was sealed in batch 2" in said


def test_a_row_that_is_not_there_is_not_found(auditor):
    assert auditor.get(f"/admin/issuances/issuance/{uuid4()}/proof.json").status_code == 404


@pytest.mark.parametrize("path", ["/admin/seals/", "/admin/issuances/issuance/{}/proof.json"])
def test_seals_are_for_those_who_read_the_log(client, client_with, path):
    path = path.format(uuid4())
    assert client.get(path).status_code == 302
    assert client_with("view_plan").get(path).status_code == 403


def test_the_page_shows_the_newest_seal_to_be_noted_down(auditor):
    assert "Nothing is sealed." in auditor.get("/admin/seals/").content.decode()
    sealed_log()
    saved(row(3.5))
    seal(everything=True)
    page = auditor.get("/admin/seals/").content.decode()
    assert f'value="{newest_head()}"' in page
    assert "1 row came late: it was sealed after later ones." in page
    assert page.count("<td>rows</td>") == 4
    assert page.count("<td>rows that came late</td>") == 1


def test_the_page_of_a_long_history_shows_the_last_ones(auditor):
    sealed_log(25 * SIZE)
    page = auditor.get("/admin/seals/").content.decode()
    assert page.count("<td>rows</td>") == 20


def aged(days):
    at = timezone.now() - timedelta(days=days)
    return row((at - row().created_at).total_seconds())


@pytest.fixture
def _nothing_remembered():
    log_size.forget()
    yield
    log_size.forget()


@pytest.mark.usefixtures("_nothing_remembered")
def test_rows_that_wait_for_a_day_are_told_of(client, auditor):
    def is_told():
        log_size.forget()
        said = client.get("/readyz").json()["checks"]["issuance_log"]["warnings"]
        shown = "waited for their seal" in auditor.get("/admin/seals/").content.decode()
        assert shown == any("waited for their seal for more than a day" in one for one in said)
        first_page = auditor.get("/admin/").content.decode()
        assert shown == ("see to the timer of manage.py seal_issuances" in first_page)
        return shown

    saved(aged(5))
    assert not is_told()  # sealing is not in use
    seal()
    assert not is_told()  # however old the newest seal is, nothing waits
    saved(aged(0.9))
    assert not is_told()
    saved(aged(1.1))
    assert is_told()
    seal()
    assert not is_told()
