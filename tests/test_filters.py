"""The filter of the issuance log: which rows match, and what is said to wrong parameters."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.http import QueryDict

from issuances.finding.filters import FilterErrors, IssuanceFilter
from issuances.finding.paging import page_of
from tests.log_rows import BEGIN, resource, row, saved

pytestmark = pytest.mark.django_db

PULL_A = resource("acme/a", "pull")
PUSH_B = resource("acme/b", "pull", "push")


@pytest.fixture
def log():
    """Rows by name, each a second after the one before."""
    rows = {
        "plain": row(0, requested=[PULL_A]),
        "part": row(1, requested=[PULL_A, PUSH_B], granted=[PULL_A], plan="trial"),
        "revoked": row(2, refusal="licence_revoked", licence="Lic-7", subject="bob"),
        "unknown": row(3, refusal="plan_unknown", plan="x", client_id="web", tenant="acme"),
        "many": row(4, requested=[PULL_A, PULL_A | {"type": "x"}, PUSH_B, resource("z", "delete")]),
        "star": row(5, requested=[resource("lib", "*")], granted=[resource("lib", "pull")]),
        "mirror": row(6, service="mirror.example.com", remote_address="2001:db8::7"),
        "later": row(7, request_id="abc", catalogue_revision=2, requested=[]),
        "no scope": row(8, requested=[resource("repository:acme/a", kind="")], refusal="x"),
    }
    saved(*rows.values())
    return rows


MATCHES = {
    "nothing given": ({}, "plain part revoked unknown many star mirror later no_scope"),
    "granted": ({"outcome": "granted"}, "plain many mirror later"),
    "in part": ({"outcome": "part"}, "part star"),
    "refused": ({"outcome": "refused"}, "revoked unknown no_scope"),
    "reason": ({"reason": "licence_revoked"}, "revoked"),
    "plan": ({"plan": "trial"}, "part"),
    "service": ({"service": "mirror.example.com"}, "mirror"),
    "subject": ({"subject": "bob"}, "revoked"),
    "client": ({"client": "web"}, "unknown"),
    "licence as spelt": ({"licence": "Lic-7"}, "revoked"),
    "licence in upper case": (
        {"licence": "LIC-1"},
        "plain part unknown many star mirror later no_scope",
    ),
    "licence in lower case": (
        {"licence": "lic-1"},
        "plain part unknown many star mirror later no_scope",
    ),
    "tenant": ({"tenant": "acme"}, "unknown"),
    "first repository": ({"repository": "acme/a"}, "plain part many"),
    "second repository": ({"repository": "acme/b"}, "part many"),
    "fourth repository": ({"repository": "z"}, "many"),
    "no repository of that name": ({"repository": "acme"}, ""),
    "prefix": ({"repository_prefix": "acme/b"}, "part many"),
    "prefix of the fourth": ({"repository_prefix": "z"}, "many"),
    "prefix of most": ({"repository_prefix": "acme/"}, "plain part revoked unknown many mirror"),
    "prefix of none": ({"repository_prefix": "acme/c"}, ""),
    "prefix is no pattern": ({"repository_prefix": "acme%"}, ""),
    "action": ({"action": "push"}, "part many"),
    "rare action": ({"action": "delete"}, "many"),
    "every action": ({"action": "*"}, "star"),
    "action on a repository": ({"repository": "acme/a", "action": "push"}, ""),
    "action under a prefix": ({"repository_prefix": "acme/b", "action": "push"}, "part many"),
    "granted action": ({"action": "push", "compare": "granted"}, "many"),
    "granted what * became": (
        {"action": "pull", "compare": "granted", "repository": "lib"},
        "star",
    ),
    "address": ({"address": "2001:DB8:0::7"}, "mirror"),
    "request id": ({"request_id": "abc"}, "later"),
    "revision": ({"revision": "2"}, "later"),
    "no such revision": ({"revision": "0"}, ""),
    "from": ({"from": "2026-03-01T00:00:07Z"}, "later no_scope"),
    "until is not part of it": ({"until": "2026-03-01T00:00:01Z"}, "plain"),
    "zone": ({"from": "2026-03-01T01:00:07+01:00"}, "later no_scope"),
    "day": ({"from": "2026-02-28", "until": "2026-03-01"}, ""),
    "several": ({"licence": "LIC-1", "outcome": "refused", "plan": "x"}, "unknown"),
    "several that meet nowhere": ({"subject": "bob", "plan": "trial"}, ""),
}


@pytest.mark.parametrize(("given", "names"), MATCHES.values(), ids=MATCHES)
def test_finds_the_rows_that_match(log, given, names):
    expected = [log[name.replace("_", " ")].id for name in reversed(names.split())]
    issuance_filter = IssuanceFilter(given)
    assert list(issuance_filter.qs.values_list("id", flat=True)) == expected
    page = page_of(issuance_filter.filtered)
    assert [row.id for row in page.rows] == expected


def test_finds_a_row_by_its_jti(log):
    wanted = log["star"]
    assert [row.id for row in IssuanceFilter({"jti": str(wanted.id)}).qs] == [wanted.id]
    before = {"jti": str(wanted.id), "until": "2026-03-01T00:00:05Z"}
    assert not IssuanceFilter(before).qs


@pytest.mark.parametrize(("period", "seconds"), [("1h", 3599), ("24h", 86_399), ("7d", 604_799)])
def test_a_period_ends_now(log, period, seconds):
    now = BEGIN + timedelta(seconds=seconds)
    assert len(IssuanceFilter({"since": period}, now=now).qs) == 9
    later = now + timedelta(seconds=2)
    assert log["plain"] not in IssuanceFilter({"since": period}, now=later).qs


WRONG = {
    "outcome": ({"outcome": "allowed"}, "outcome", "granted, part, refused"),
    "compare": ({"compare": "x"}, "compare", "asked, granted"),
    "since": ({"since": "2h"}, "since", "1h, 24h, 7d, 30d"),
    "address": ({"address": "1.2.3"}, "address", "IP address such as"),
    "jti": ({"jti": "abc"}, "jti", "jti such as"),
    "revision": ({"revision": "-1"}, "revision", "such as 42"),
    "revision beyond all": ({"revision": "9" * 30}, "revision", "such as 42"),
    "revision in other digits": ({"revision": "٣"}, "revision", "such as 42"),
    "from": ({"from": "yesterday"}, "from", "such as 2026-11-25"),
    "from before all time": ({"from": "0001-01-01T00:00:00+23:00"}, "from", "such as 2026"),
    "until before from": (
        {"from": "2026-02-01", "until": "2026-02-01"},
        "until",
        "later than from",
    ),
    "since and from": ({"from": "2026-02-01", "since": "1h"}, "since", "either since"),
    "prefix": ({"repository_prefix": "acmé"}, "repository_prefix", "such as acme/"),
    "long": ({"subject": "x" * 256}, "subject", "255"),
    "NUL": ({"subject": "x\0"}, "subject", "Null"),
    "unknown": (
        {"subjekt": "x"},
        "filter",
        "unknown parameter subjekt; the parameters are outcome",
    ),
    "twice": (QueryDict("plan=a&plan=b"), "plan", "give it once"),
}


@pytest.mark.parametrize(("given", "name", "said"), WRONG.values(), ids=WRONG)
def test_says_what_is_wrong_and_how_to_write_it(given, name, said):
    with pytest.raises(FilterErrors, match=f"{name}: .*{said}"):
        _ = IssuanceFilter(given).filtered


def test_leaves_the_parameters_of_the_page_to_it(log):
    query = QueryDict("subject=bob&before=x")
    assert len(IssuanceFilter(query, others=["before", "after"]).qs) == 1
    assert "before" in query
