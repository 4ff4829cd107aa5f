"""Whose account a log-in through the Authority leads to, and in which groups it is then."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test import Client

from people.sso import account
from tests.sso_authority import assert_refused, log_in

pytestmark = pytest.mark.django_db


def names_of_groups(user):
    return set(user.groups.values_list("name", flat=True))


@pytest.mark.parametrize(
    ("claim", "groups"),
    [
        (["support"], {"viewer"}),
        ("support", {"viewer"}),
        (["admins", "support", 5, None], {"administrator", "viewer"}),
    ],
)
def test_their_groups_become_ours(client, sso, claim, groups):
    sso.person["groups"] = claim
    log_in(client, sso)
    assert names_of_groups(User.objects.get()) == groups


@pytest.mark.parametrize("claim", [None, [], "everybody", ["administrator"], {"admins": 1}, 5])
def test_refuses_people_in_no_group_of_ours(client, sso, claim):
    sso.person["groups"] = claim
    assert_refused(client, log_in(client, sso), "You are in no group")
    assert not User.objects.exists()


def test_a_group_that_is_not_there_lets_nobody_in(client, sso):
    Group.objects.get(name="administrator").delete()
    assert_refused(client, log_in(client, sso), "You are in no group")


def test_groups_that_were_taken_away_are_gone_at_the_next_log_in(client, sso):
    log_in(client, sso)
    User.objects.get().groups.add(Group.objects.get(name="auditor"))
    sso.person["groups"] = ["support"]
    log_in(Client(), sso)
    assert names_of_groups(User.objects.get()) == {"viewer"}
    sso.person["groups"] = []
    assert_refused(client, log_in(Client(), sso))
    assert names_of_groups(User.objects.get()) == set()


def test_a_switched_off_account_stays_out(client, sso):
    log_in(client, sso)
    User.objects.update(is_active=False)
    assert_refused(client, log_in(client, sso))


def test_people_are_known_by_subject_and_not_by_name(client, sso):
    local = User.objects.create_superuser("alice", password="of the local alice")
    log_in(client, sso)
    sso.person |= {"preferred_username": "alicia", "email": "alice@example.com"}
    log_in(Client(), sso)
    theirs = User.objects.get(ssoidentity__subject="1234")
    assert (theirs.username, theirs.is_superuser) == ("alice-2", False)
    local.refresh_from_db()
    assert local.is_superuser
    sso.person["sub"] = "5678"
    log_in(Client(), sso)
    assert User.objects.count() == 3


@pytest.mark.parametrize(("name", "shown"), [("a b\x00<c>", "a-b-c-"), (5, "1234"), (None, "1234")])
def test_makes_a_user_name_of_what_there_is(client, sso, name, shown):
    sso.person["preferred_username"] = name
    log_in(client, sso)
    assert User.objects.get().username == shown


def test_a_name_that_is_stored_like_a_taken_one_gets_a_number(client, sso):
    User.objects.create_user("alice")
    sso.person["preferred_username"] = "\N{FULLWIDTH LATIN SMALL LETTER A}lice"
    log_in(client, sso)
    assert User.objects.get(ssoidentity__subject="1234").username == "alice-2"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_people_of_one_name_who_come_at_the_same_instant_have_an_account_each():
    """The second finds the name free, and taken when it is stored."""

    def come(subject: str) -> str:
        try:
            user = account("https://authority.example.com", subject, "alice", ["viewer"])
            assert user is not None
            return user.username
        finally:
            connection.close()

    Group.objects.get_or_create(name="viewer")
    with ThreadPoolExecutor(4) as others:
        with transaction.atomic():
            User.objects.create_user("alice")
            coming = [others.submit(come, f"subject-{n}") for n in range(3)]
            time.sleep(0.5)  # they have looked for a name, or wait to do so
            assert not any(one.done() for one in coming)
        names = {one.result() for one in coming}
    assert names == {"alice-2", "alice-3", "alice-4"}
