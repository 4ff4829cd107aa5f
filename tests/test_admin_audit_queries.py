"""Queries of the log with a name: ready-made ones, people's own, and those that they share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.http import QueryDict
from django.test import Client

from issuances.finding.filters import IssuanceFilter
from issuances.models import SavedQuery
from people.models import Activity
from registry_token import first_pushes as module
from registry_token.first_pushes import first_pushes
from registry_token.pages.audit_queries import READY
from tests.log_rows import BEGIN, resource, row, saved

pytestmark = pytest.mark.django_db

LIST = "/admin/issuances/issuance/"
SAVE = f"{LIST}queries/"
FIRST = f"{LIST}first-pushes/"
PUSH = [resource("acme/app", "pull", "push")]
NOW = BEGIN + timedelta(days=5)


def person(name, *permissions):
    """A client of somebody who may read the log."""
    user = User.objects.create_user(name, is_staff=True)
    names = ["view_issuance", *permissions]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(user)
    return client


def said(response):
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def names(client):
    saved_queries = client.get(LIST).context["queries"]["saved"]
    return [(one["saved"].name, one["may_delete"]) for one in saved_queries]


def save(client, name, query="subject=bob", **more):
    return client.post(SAVE, {"name": name, "query": query} | more)


@pytest.mark.parametrize(("name", "query"), READY, ids=lambda value: str(value)[:30])
def test_every_ready_made_query_is_a_filter(admin_client, name, query):
    assert IssuanceFilter(QueryDict(query)).filtered.values
    page = admin_client.get(LIST).content.decode()
    assert f'href="{LIST}?{query.replace("&", "&amp;")}">{name}</a>' in page
    assert admin_client.get(f"{LIST}?{query}").status_code == 200


def test_the_present_filter_gets_a_name(admin_client):
    saved(row(subject="bob"), row(subject="eve"))
    page = admin_client.get(f"{LIST}?subject=bob&before=ffffffff-ffff-7fff-bfff-ffffffffffff")
    assert page.context["query"] == "subject=bob"
    response = save(admin_client, "Bob's")
    assert response["Location"] == f"{LIST}?subject=bob"
    assert "Saved as Bob's." in said(response)
    again = admin_client.get(LIST).content.decode()
    assert f'href="{LIST}?subject=bob">Bob&#x27;s</a>' in again
    assert Activity.objects.get(object="query Bob's").detail == "saved: subject=bob"


def test_an_empty_filter_is_not_offered_to_be_saved(admin_client):
    assert SAVE not in admin_client.get(LIST).content.decode()


def test_what_is_private_is_seen_by_its_owner_alone():
    alice, bob = person("alice"), person("bob")
    save(alice, "mine")
    save(alice, "ours", is_shared="on")
    assert names(alice) == [("mine", True), ("ours", True)]
    assert names(bob) == [("ours", False)]
    assert "shared by alice" in bob.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("who", "shared", "status"),
    [
        ("owner", False, 302),
        ("owner", True, 302),
        ("other", False, 404),
        ("other", True, 403),
        ("administrator", False, 404),
        ("administrator", True, 302),
    ],
)
def test_is_deleted_by_its_owner_or_an_administrator(who, shared, status):
    clients = {
        "owner": person("alice"),
        "other": person("bob"),
        "administrator": person("carol", "change_user"),
    }
    save(clients["owner"], "mine", **({"is_shared": "on"} if shared else {}))
    only = SavedQuery.objects.get()
    url = f"{SAVE}{only.pk}/delete/"
    assert clients[who].get(url).status_code == 405
    assert clients[who].post(url).status_code == status
    assert SavedQuery.objects.exists() == (status != 302)


def test_a_shared_query_outlives_its_owner():
    alice, bob = person("alice"), person("bob")
    save(alice, "ours", is_shared="on")
    User.objects.get(username="alice").delete()
    assert names(bob) == [("ours", False)]


WRONG = {
    "no name": ({"name": " "}, "required"),
    "long name": ({"name": "x" * 101}, "100"),
    "unprintable name": ({"name": "a\x1bb"}, "printable"),
    "no filter": ({"query": "subjekt=x"}, "unknown parameter subjekt"),
    "no query": ({"query": ""}, "required"),
}


@pytest.mark.parametrize(("changed", "message"), WRONG.values(), ids=WRONG)
def test_says_what_is_wrong_and_saves_nothing(admin_client, changed, message):
    response = admin_client.post(SAVE, {"name": "a", "query": "subject=bob"} | changed)
    assert response.status_code == 302
    assert message in said(response)
    assert not SavedQuery.objects.exists()


def test_a_name_is_used_once_by_each_person():
    alice, bob = person("alice"), person("bob")
    save(alice, "mine")
    assert "choose another" in said(save(alice, "mine", "plan=x"))
    save(bob, "mine")
    assert SavedQuery.objects.count() == 2


def test_nobody_fills_the_table(monkeypatch):
    monkeypatch.setattr("registry_token.pages.audit_queries.MAX_OWN", 1)
    alice = person("alice")
    save(alice, "a")
    assert "delete some" in said(save(alice, "b"))
    assert SavedQuery.objects.count() == 1


@pytest.mark.parametrize("path", [SAVE, f"{SAVE}1/delete/", FIRST])
def test_is_for_readers_of_the_log_alone(client_with, path):
    assert client_with("view_plan").post(path).status_code == 403


def test_finds_first_pushes_and_no_others():
    rows = {
        "long ago": row(0, subject="alice", requested=PUSH),
        "again": row(86_400 * 4, subject="alice", requested=PUSH),
        "refused before": row(10, subject="bob", requested=PUSH, refusal="nothing_granted"),
        "pulled before": row(20, subject="bob"),
        "first": row(86_400 * 4 + 1, subject="bob", requested=PUSH),
        "second": row(86_400 * 4 + 2, subject="bob", requested=PUSH),
        "not granted": row(86_400 * 4 + 3, subject="eve", requested=PUSH, granted=[]),
        "too early": row(30, subject="carol", requested=PUSH),
    }
    saved(*rows.values())
    result = first_pushes("24h", NOW - timedelta(hours=12))
    assert [first.row for first in result.found] == [rows["first"]]
    assert (result.found[0].none_back_to, result.looked_back_to, result.older) == (None, None, None)
    everything = first_pushes("30d", NOW)
    assert {first.row.subject for first in everything.found} == {"alice", "bob", "carol"}


def test_looks_at_so_many_subjects_and_goes_on_there(monkeypatch):
    monkeypatch.setattr(module, "MAX_SUBJECTS", 3)
    monkeypatch.setattr(module, "_SECONDS", 60)
    rows = saved(*(row(second, subject=f"s{second}", requested=PUSH) for second in range(8)))
    before, seen, pages = None, [], 0
    while pages == 0 or before is not None:
        result = first_pushes("7d", NOW, before=before)
        seen += [first.row for first in result.found]
        before, pages = result.older, pages + 1
    assert (seen, pages) == (rows[::-1], 3)


def test_looks_at_one_subject_however_late_it_is(monkeypatch):
    monkeypatch.setattr(module, "_SECONDS", -1)
    rows = saved(*(row(second, subject=f"s{second}", requested=PUSH) for second in range(3)))
    result = first_pushes("7d", NOW)
    assert [first.row for first in result.found] == [rows[2]]
    assert result.older == rows[2].id


def test_looks_at_so_many_rows_and_goes_on_there(monkeypatch):
    monkeypatch.setattr(module, "MAX_ROWS", 3)
    rows = saved(*(row(second, subject=f"s{second % 2}", requested=PUSH) for second in range(5)))
    result = first_pushes("7d", NOW)
    assert (result.found, result.looked_back_to) == ([], rows[2].created_at)
    result = first_pushes("7d", NOW, before=result.older)
    assert [first.row for first in result.found] == [rows[1], rows[0]]


def test_the_page_of_first_pushes_says_what_it_looked_at(admin_client, monkeypatch):
    monkeypatch.setattr(module, "MAX_SUBJECTS", 1)
    age = (datetime.now(UTC) - BEGIN).total_seconds()
    saved(*(row(age - 60 - n, subject=f"s{n}", requested=PUSH) for n in range(2)))
    response = admin_client.get(FIRST)
    page = " ".join(response.content.decode().split())
    assert "newest 500 granted pushes" in page
    assert "Looked back to" in page
    assert ">s0<" in page
    assert ">s1<" not in page
    assert ">s1<" in admin_client.get(FIRST + response.context["older"]).content.decode()
    assert "first push, in what was looked at" in admin_client.get(
        f"{FIRST}?since=24h&before=00000000-0000-7000-8000-000000000000"
    ).content.decode().replace("&#x27;", "'")


@pytest.mark.parametrize("query", ["since=1y", "before=x"])
def test_what_is_no_period_is_not_found(admin_client, query):
    assert admin_client.get(f"{FIRST}?{query}").status_code == 404
