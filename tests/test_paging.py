"""Pages of the issuance log: none misses a row, none repeats one, whichever way they are turned."""

from __future__ import annotations

import random
from uuid import UUID

import pytest

from issuances.finding.filters import Filtered, IssuanceFilter
from issuances.finding.paging import page_of, rows_of
from tests.log_rows import resource, row, saved

pytestmark = pytest.mark.django_db

FILTERS = [
    {},
    {"subject": "alice"},
    {"licence": "lic-1"},
    {"outcome": "granted"},
    {"outcome": "part"},
    {"outcome": "refused"},
    {"reason": "plan_unknown"},
    {"repository": "acme/1"},
    {"repository_prefix": "acme/"},
    {"repository_prefix": "acme/1", "action": "push"},
    {"action": "delete"},
    {"action": "push", "compare": "granted"},
    {"subject": "alice", "plan": "trial", "outcome": "refused"},
    {"licence": "lic-1", "repository": "acme/2", "until": "2026-03-01T00:02:00Z"},
    {"from": "2026-03-01T00:01:00Z", "until": "2026-03-01T00:02:00Z"},
    {"service": "nowhere.example.com"},
]


def a_row(chance: random.Random, seconds: float):
    """One like those of a busy registry."""
    actions = [("pull",), ("pull", "push"), ("delete",), ("*",)]
    kinds = chance.choice([1, 1, 2, 4])
    names = chance.sample([f"acme/{n}" for n in range(30)] + ["library/x"], kinds)
    requested = [resource(name, *chance.choice(actions)) for name in names]
    refusal = chance.choice(["", "", "", "plan_unknown", "nothing_granted"])
    granted = None if refusal or chance.random() < 0.5 else requested[:-1]
    return row(
        seconds,
        requested=requested,
        granted=granted,
        refusal=refusal,
        subject=chance.choice(["alice", "bob"]),
        licence=chance.choice(["LIC-1", "lic-1", "LIC-2"]),
        plan=chance.choice(["trial", "enterprise"]),
    )


def turned_back(filtered: Filtered, **options):
    """All pages, newest first."""
    page = page_of(filtered, **options)
    rows = list(page.rows)
    while page.older is not None:
        page = page_of(filtered, before=page.older, **options)
        rows += page.rows
    return rows


def turned_forth(filtered: Filtered, **options):
    """All pages from before the first row on, oldest first."""
    newer: UUID | None = UUID(int=0)
    rows = []
    while newer is not None:
        page = page_of(filtered, after=newer, **options)
        rows += reversed(page.rows)
        newer = page.newer
    return rows


@pytest.mark.parametrize("seconds", [10, 0], ids=["in time", "always out of time"])
@pytest.mark.parametrize("given", FILTERS, ids=str)
def test_all_pages_together_are_the_list(given, seconds, monkeypatch):
    monkeypatch.setattr("issuances.finding.searching._FIRST_WINDOW", 7)
    monkeypatch.setattr("issuances.finding.searching._LEAST_WINDOW", 2)
    chance = random.Random(str(given))
    saved(*(a_row(chance, chance.random() * 150) for _ in range(60)))
    issuance_filter = IssuanceFilter(given)
    expected = list(issuance_filter.qs)
    filtered = issuance_filter.filtered
    for size in (3, 100):
        options = {"size": size, "seconds": seconds}
        assert turned_back(filtered, **options) == expected
        assert turned_forth(filtered, **options) == expected[::-1]
    assert list(rows_of(filtered)) == expected[::-1]


def test_a_row_that_comes_late_is_on_the_page_of_its_time():
    saved(*(row(second) for second in range(0, 20, 2)))
    everything = Filtered()
    first = page_of(everything, size=3)
    late = row(5), row(15), row(30)
    saved(*late)
    second = page_of(everything, before=first.older, size=100)
    assert late[0] in second.rows
    assert late[1] not in second.rows  # it is newer than where the page begins
    third = page_of(everything, after=second.newer, size=100)
    assert {late[1], late[2]} <= set(third.rows)
    assert len(second.rows) + len(third.rows) == 13
    assert third.newer is None


def test_goes_back_and_forth_over_the_same_rows():
    rows = saved(*(row(second) for second in range(10)))[::-1]
    page = page_of(Filtered(), size=4)
    older = page_of(Filtered(), before=page.older, size=4)
    assert (page.rows, older.rows) == (rows[:4], rows[4:8])
    assert page_of(Filtered(), after=older.newer, size=4).rows == rows[:4]
    assert page.newer is None


def test_says_how_far_it_searched_when_time_is_up(monkeypatch):
    monkeypatch.setattr("issuances.finding.searching._FIRST_WINDOW", 10)
    asked = [[resource("x", "push")]] + [[resource("x", "pull")]] * 99
    rows = saved(*(row(second, requested=asked[second]) for second in range(100)))
    wanted = IssuanceFilter({"plan": "enterprise", "action": "push"}).filtered
    page = page_of(wanted, seconds=0)
    assert page.rows == []
    assert page.searched_back_to == rows[89].created_at  # which is the next
    found = page_of(wanted, before=page.older, seconds=10)
    assert (found.rows, found.searched_back_to) == ([rows[0]], None)


def test_a_page_is_either_before_or_after_a_row():
    with pytest.raises(ValueError, match="either"):
        page_of(Filtered(), before=UUID(int=1), after=UUID(int=0))


def test_a_stream_goes_on_after_a_row_with_the_columns_that_are_wanted(monkeypatch):
    monkeypatch.setattr("issuances.finding.paging._STREAM_WINDOW", 3)
    rows = saved(*(row(second, subject=f"s{second % 2}") for second in range(10)))
    wanted = IssuanceFilter({"subject": "s1"}).filtered
    stream = rows_of(wanted, after=rows[3].id, columns=("subject",))
    assert list(stream) == [(row.id, "s1") for row in (rows[5], rows[7], rows[9])]
