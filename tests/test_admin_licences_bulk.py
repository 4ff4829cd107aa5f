"""Revoking and reinstating many licences: nothing happens before the preview is confirmed."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from licences.models import LicenceEvent, RevokedLicence
from licences.pasted import MAX_LINES
from plans.models import CatalogueRevision

pytestmark = pytest.mark.django_db

REVOKE = "/admin/licences/revokedlicence/revoke-many/"
REINSTATE = "/admin/licences/revokedlicence/reinstate-many/"


def newest():
    return CatalogueRevision.objects.latest("number")


def cards(response):
    """The preview: for each card its number, and its lines."""
    assert response.status_code == 200
    assert "parts" in response.context, response.context["form"].errors
    return [(part.count, part.lines) for part in response.context["parts"]]


def confirm(client, path, response):
    """What a browser sends from the preview."""
    form = {"text": response.context["text"].replace("\n", "\r\n"), "apply": "Yes"}
    form["reason"] = response.context["form"].cleaned_data["reason"]
    form["seen"] = response.context["seen"]
    return client.post(path, form, follow=True)


def lines_of(response, card=-1):
    return cards(response)[card][1]


def test_previews_then_revokes_in_one_revision(admin_client, authority, get_token, catalogue):
    token = authority.token("enterprise", "LIC-2")
    scope = "repository:stella-ops/public/app:pull"
    assert get_token(token, scope).status_code == 200
    before = newest().number
    text = 'LIC-1\n\nlic-2,"paid, then not",2090-01-31\nＬＩＣ-0007\n'
    preview = admin_client.post(REVOKE, {"text": text, "reason": "chargeback"})
    new, same, changed, malformed = cards(preview)
    assert new == (2, ["LIC-1: chargeback", "lic-2: paid, then not (until 2090-01-31 00:00)"])
    assert same == (1, ["LIC-0007: chargeback"])
    assert changed == malformed == (0, [])
    assert newest().number == before
    assert get_token(token, scope).status_code == 200

    done = confirm(admin_client, REVOKE, preview)
    said = " ".join(map(str, done.context["messages"]))
    assert "2 licences revoked. In the last 30 days: 2 requests by 1 caller." in said
    assert "Tokens issued before are accepted until" in said
    assert get_token(token, scope).status_code == 403
    assert (newest().number, newest().actor, newest().reason) == (before + 1, "admin", "chargeback")
    assert newest().changes == ["revoked 2 licences: LIC-1, lic-2"]
    event = LicenceEvent.objects.get(key="lic-2")
    assert (event.what, event.actor, event.source) == ("revoked", "admin", "admin")
    assert (event.reason, event.revision) == ("paid, then not", before + 1)
    assert RevokedLicence.objects.get(key="lic-1").revoked_by == "admin"


def test_leaves_what_is_revoked_with_another_reason(admin_client):
    RevokedLicence.objects.create(licence="LIC-1", reason="fraud")
    preview = admin_client.post(REVOKE, {"text": "lic-1", "reason": "chargeback"})
    assert cards(preview)[2] == (1, ["LIC-1: fraud"])
    before = newest().number
    confirm(admin_client, REVOKE, preview)
    assert RevokedLicence.objects.get().reason == "fraud"
    assert newest().number == before


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("LIC\u200b-1", "must be a licence id"),
        ("a" * 256, "at most 255 characters"),
        ("LIC-1," + "a" * 501, "at most 500 characters"),
        ("LIC-1,a\u200bb", "reason: "),
        (",fraud", "licence: "),
        ("lic-0", "the same licence as in line 1"),
        ("LIC-1,a,b,c", "too many columns"),
        ("LIC-1,a,soon", "must be a date such as"),
        ("LIC-1,a,2090-02-31", "must be a date such as"),
        ("LIC-1,a,2020-01-31", "in the past"),
        ('"LIC-1', "check its quotes"),
    ],
)
def test_says_what_is_wrong_in_which_line(admin_client, line, why):
    text = f"LIC-0\n{line}\nLIC-3"
    preview = admin_client.post(REVOKE, {"text": text, "reason": "chargeback"})
    (malformed,) = lines_of(preview)
    assert malformed.startswith("line 2: ")
    assert why in malformed
    confirm(admin_client, REVOKE, preview)
    assert {revoked.licence for revoked in RevokedLicence.objects.all()} == {"LIC-0", "LIC-3"}


@pytest.mark.parametrize(
    "text",
    [
        "licence,reason,until\nLIC-1,fraud,2090-01-31",
        "LIC-1,fraud,2090-01-31",
        "\ufeffReason;License".replace(";", ",") + ",until\r\nfraud,LIC-1,2090-01-31T00:00:00Z\r\n",
    ],
    ids=["heading", "no heading", "other order"],
)
def test_reads_an_uploaded_csv(admin_client, text):
    file = SimpleUploadedFile("a.csv", text.encode())
    preview = admin_client.post(REVOKE, {"file": file, "reason": "chargeback"})
    assert cards(preview)[0] == (1, ["LIC-1: fraud (until 2090-01-31 00:00)"])
    confirm(admin_client, REVOKE, preview)
    assert RevokedLicence.objects.get().licence == "LIC-1"


@pytest.mark.parametrize(
    ("form", "field", "message"),
    [
        ({"text": "LIC-1"}, "reason", "required"),
        ({"text": " ", "reason": "a"}, "text", "paste a list or choose"),
        ({"text": "a\n" * (MAX_LINES + 1), "reason": "a"}, "text", "100,000 lines"),
        ({"file": b"a" * (2 * 1024 * 1024 + 1), "reason": "a"}, "file", "2 MiB"),
        ({"file": "LIC-1".encode("utf-16"), "reason": "a"}, "file", "CSV in UTF-8"),
        ({"file": b"LIC-1", "text": "LIC-2", "reason": "a"}, "text", "not both"),
    ],
    ids=["no reason", "empty", "lines", "bytes", "encoding", "both"],
)
def test_refuses_a_list_as_a_whole(admin_client, form, field, message):
    if "file" in form:
        form = form | {"file": SimpleUploadedFile("a.csv", form["file"])}
    response = admin_client.post(REVOKE, form | {"apply": "Yes"})
    assert message in response.context["form"].errors[field][0]
    assert not RevokedLicence.objects.exists()


def test_reinstates_many_in_one_revision(admin_client):
    for number in range(4):
        RevokedLicence.objects.create(licence=f"LIC-{number}")
    before = newest().number
    text = "lic-0\nＬＩＣ-1\nLIC-9\nLIC\u200b-2"
    preview = admin_client.post(REINSTATE, {"text": text, "reason": "paid"})
    assert [count for count, _ in cards(preview)] == [2, 1, 1]
    assert newest().number == before
    confirm(admin_client, REINSTATE, preview)
    assert {revoked.licence for revoked in RevokedLicence.objects.all()} == {"LIC-2", "LIC-3"}
    assert (newest().number, newest().reason) == (before + 1, "paid")
    events = LicenceEvent.objects.filter(what="reinstated", reason="paid", actor="admin")
    assert events.count() == 2


@pytest.mark.parametrize("path", [REVOKE, REINSTATE])
def test_applies_nothing_once_somebody_else_has_changed_something(admin_client, path):
    """Both lists have a licence whose state is another one than the preview showed."""
    RevokedLicence.objects.create(licence="LIC-1", reason="fraud")
    preview = admin_client.post(path, {"text": "LIC-1\nLIC-2\nLIC-3", "reason": "order 4711"})
    RevokedLicence.objects.create(licence="LIC-2", reason="fraud")
    before = newest().number
    again = confirm(admin_client, path, preview)
    assert newest().number == before
    assert "Somebody changed the catalogue meanwhile. Look again." in again.content.decode()
    shown, earlier = cards(again), cards(preview)
    assert [shown[0][0] - earlier[0][0]] == [-1 if path == REVOKE else 1]
    assert again.context["text"].split() == ["LIC-1", "LIC-2", "LIC-3"]
    assert again.context["form"].cleaned_data["reason"] == "order 4711"

    confirm(admin_client, path, again)
    assert newest().number == before + 1
    assert RevokedLicence.objects.count() == (3 if path == REVOKE else 0)


@pytest.mark.parametrize("path", [REVOKE, REINSTATE])
def test_what_does_not_say_what_was_seen_shows_the_preview(admin_client, path):
    RevokedLicence.objects.create(licence="LIC-1", reason="fraud")
    before = newest().number
    form = {"text": "LIC-1\nLIC-2", "reason": "order 4711", "apply": "Yes"}
    for wrong in ({}, {"seen": ""}, {"seen": "0-0"}):
        assert cards(admin_client.post(path, form | wrong))[0][0] == 1
    assert newest().number == before


def test_a_long_list_takes_few_queries(admin_client, django_assert_max_num_queries):
    """Time is for a quiet machine to tell: 10,000 licences are revoked in 2 s there."""
    many, most = 2000, 100
    text = "\n".join(f"LIC-{number}" for number in range(many))
    before = newest().number
    for path, reason in ((REVOKE, "chargeback"), (REINSTATE, "paid")):
        with django_assert_max_num_queries(most):
            preview = admin_client.post(path, {"text": text, "reason": reason})
        count, shown = cards(preview)[0]
        assert (count, len(shown)) == (many, 100)
        with django_assert_max_num_queries(most):
            confirm(admin_client, path, preview)
        assert RevokedLicence.objects.count() == (many if path == REVOKE else 0)
    assert LicenceEvent.objects.count() == 2 * many
    assert newest().number == before + 2


def test_a_list_s_content_is_escaped(admin_client):
    text = "<script>\n<b>,</textarea>,soon"
    page = admin_client.post(REVOKE, {"text": text, "reason": "x"}).content.decode()
    assert "<b>" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;/textarea&gt;" in page
