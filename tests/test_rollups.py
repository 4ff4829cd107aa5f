"""The roll-up of the log: it says what counting the rows says, whatever happened in between."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from issuances.counting import rollup_counts, rollups
from issuances.counting.rollup_counts import TOTAL, Counts, counts_by_key
from issuances.counting.rollups import Span, floor, roll_up
from issuances.finding.filters import IssuanceFilter
from issuances.identifiers import FIRST_ID, LAST_ID
from issuances.models import Issuance, Rollup
from tests.log_rows import BEGIN, resource, row, saved

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOW = BEGIN + 3 * DAY + timedelta(minutes=5)  # the third day has settled


def outcome_of(issuance):
    if issuance.refusal:
        return "refused"
    return "granted" if issuance.granted == issuance.requested else "part"


def keys_of(issuance):
    """By dimension the keys that the row counts for."""
    names = {entry["name"] for entry in issuance.requested if entry["type"] == "repository"}
    return {
        TOTAL: {""},
        "reason": {issuance.refusal} - {""},
        "plan": {issuance.plan},
        "licence": {issuance.licence},
        "subject": {issuance.subject},
        "service": {issuance.service},
        "repository": names,
    }


def counted_by_hand(rows, span):
    """By period and dimension, then by key: how often each outcome."""
    found = defaultdict(lambda: defaultdict(Counter))
    for one in rows:
        for dimension, keys in keys_of(one).items():
            for key in keys:
                found[floor(one.created_at, span), dimension][key][outcome_of(one)] += 1
    return {at: {key: dict(counts) for key, counts in by.items()} for at, by in found.items() if by}


def rolled_up(span):
    found = defaultdict(dict)
    for one in Rollup.objects.filter(span=span):
        outcomes = {"granted": one.granted, "part": one.part, "refused": one.refused}
        counts = {name: number for name, number in outcomes.items() if number}
        if counts:
            found[one.begin, one.dimension][one.key] = counts
    return dict(found)


def a_row(chance):
    """Of three days, with what callers may send."""
    names = ["acme/app", "acme/app", "acme/ä'\"", "x" * 255, ""]
    requested = [
        resource(chance.choice(names), "pull", kind=chance.choice(["repository", "registry", ""]))
        for _ in range(chance.choice([0, 1, 1, 3]))
    ]
    refusal = chance.choice(["", "", "plan_unknown", "nothing_granted"])
    return row(
        chance.uniform(0, 3 * 86_400 - 300),
        requested=requested,
        granted=[] if chance.random() < 0.3 else None,
        refusal=refusal,
        subject=chance.choice(["alice", "bob", ""]),
        plan=chance.choice(["trial", "x" * 255, ""]),
        licence=chance.choice(["LIC-1", "lic-1", ""]),
        service=chance.choice(["registry.example.com", "mirror.example.com"]),
    )


@given(seed=st.integers(0, 2**32), number=st.integers(0, 60))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_says_what_counting_the_rows_says(seed, number):
    Issuance.objects.all().delete()
    Rollup.objects.all().delete()
    chance = random.Random(seed)
    rows = saved(*(a_row(chance) for _ in range(number)))
    roll_up(NOW)
    for span in Span:
        assert rolled_up(span) == counted_by_hand(rows, span)


def test_a_key_has_as_many_rows_as_its_filter_finds():
    chance = random.Random(7)
    saved(*(a_row(chance) for _ in range(200)))
    roll_up(NOW)
    for one in Rollup.objects.filter(span=Span.DAY).exclude(key=""):
        until = one.begin + DAY
        asked = {one.dimension: one.key, "from": one.begin.isoformat(), "until": until.isoformat()}
        for outcome in ("granted", "part", "refused"):
            found = IssuanceFilter(asked | {"outcome": outcome}).filtered.rows
            spelt = one.dimension == "licence"  # the filter looks for all spellings of it
            assert found.count() >= getattr(one, outcome)
            assert spelt or found.count() == getattr(one, outcome), (one, outcome)


def test_an_empty_log_has_none():
    done = roll_up(NOW)
    assert sum(done.counted.values()) == 0
    assert not Rollup.objects.exists()


def test_counts_every_period_once():
    saved(row(0), row(50 * 3600))
    assert roll_up(NOW).counted == {Span.HOUR: 72, Span.DAY: 3}
    assert roll_up(NOW).counted == {Span.HOUR: 0, Span.DAY: 0}
    assert Rollup.objects.filter(span=Span.HOUR, dimension=TOTAL).count() == 72


def test_leaves_a_period_that_has_not_settled():
    saved(row(0))
    assert roll_up(BEGIN + HOUR + timedelta(seconds=119)).counted[Span.HOUR] == 0
    assert roll_up(BEGIN + HOUR + timedelta(seconds=120)).counted[Span.HOUR] == 1


def test_finds_a_row_that_came_late():
    saved(row(0), row(2 * 86_400))
    roll_up(NOW)
    saved(row(2 * 86_400 + 60))
    assert roll_up(NOW).counted == {Span.HOUR: 1, Span.DAY: 1}
    assert rolled_up(Span.DAY)[BEGIN + 2 * DAY, TOTAL] == {"": {"granted": 2}}


def test_finds_a_row_that_came_very_late_when_told_to_look():
    saved(row(0))
    roll_up(NOW)
    saved(row(60))
    assert sum(roll_up(NOW).counted.values()) == 0
    assert roll_up(NOW, everything=True).counted == {Span.HOUR: 1, Span.DAY: 1}
    assert rolled_up(Span.HOUR)[BEGIN, TOTAL] == {"": {"granted": 2}}


def test_repairs_what_was_altered_in_a_range():
    rows = saved(row(0), row(3600), row(7200), row(2 * 86_400))
    roll_up(NOW)
    Rollup.objects.filter(dimension="subject").update(key="mallory")
    roll_up(NOW, begin=BEGIN + HOUR, until=BEGIN + 2 * HOUR)
    expected = counted_by_hand(rows, Span.HOUR)
    found = rolled_up(Span.HOUR)
    assert found[BEGIN + HOUR, "subject"] == expected[BEGIN + HOUR, "subject"]
    assert "mallory" in found[BEGIN + 2 * HOUR, "subject"]


def test_what_was_counted_outlives_the_rows():
    old = saved(row(0), row(60), row(7200))
    saved(row(7260), row(2 * 86_400))
    roll_up(NOW)
    before = rolled_up(Span.HOUR), rolled_up(Span.DAY)
    Issuance.objects.filter(id__in=[one.id for one in old]).delete()
    for options in ({}, {"everything": True}, {"begin": BEGIN}):
        done = roll_up(NOW, **options)
        assert (rolled_up(Span.HOUR), rolled_up(Span.DAY)) == before
        assert done.kept == (2 if options else 0), options
    Issuance.objects.all().delete()
    roll_up(NOW, everything=True)
    assert (rolled_up(Span.HOUR), rolled_up(Span.DAY)) == before


def test_keeps_the_keys_with_the_most_rows(monkeypatch):
    monkeypatch.setattr(rollups, "KEPT", 2)
    subjects = ["alice", "bob", "bob", "carol", "carol", "dave"]
    saved(*(row(number, subject=subject) for number, subject in enumerate(subjects)))
    roll_up(NOW)
    found = rolled_up(Span.HOUR)
    assert found[BEGIN, "subject"] == {"bob": {"granted": 2}, "carol": {"granted": 2}}
    assert found[BEGIN, TOTAL] == {"": {"granted": 6}}
    assert len(rolled_up(Span.DAY)[BEGIN, "subject"]) == 2


def test_the_keys_of_hours_go_after_a_week():
    rows = saved(row(0), row(3600), row(6 * 86_400))
    roll_up(NOW)
    later = BEGIN + 7 * DAY + timedelta(minutes=30)
    roll_up(later)
    hours = rolled_up(Span.HOUR)
    assert hours[BEGIN, TOTAL] == {"": {"granted": 1}}
    assert (BEGIN, "subject") not in hours
    assert hours[BEGIN + HOUR, "subject"] == {"alice": {"granted": 1}}
    assert rolled_up(Span.DAY) == counted_by_hand(rows, Span.DAY)
    roll_up(later + DAY, begin=BEGIN)
    assert rolled_up(Span.HOUR)[BEGIN + HOUR, TOTAL] == {"": {"granted": 1}}
    assert (BEGIN + HOUR, "subject") not in rolled_up(Span.HOUR)


def test_a_row_that_arrives_while_it_counts_is_left_for_the_next_run(monkeypatch):
    saved(row(0), row(10))
    all_counts = rollup_counts.all_counts
    arriving = [row(20)]

    def counts(*ids):
        found = all_counts(*ids)
        saved(*arriving)
        arriving.clear()
        return found

    monkeypatch.setattr(rollups, "all_counts", counts)
    now = BEGIN + HOUR + timedelta(minutes=5)
    assert roll_up(now).postponed == 1
    assert not Rollup.objects.exists()
    assert roll_up(now).counted[Span.HOUR] == 1
    assert rolled_up(Span.HOUR)[BEGIN, TOTAL] == {"": {"granted": 3}}


def test_a_row_of_a_clock_that_was_decades_wrong_is_no_work():
    wrong = row((datetime(1971, 5, 3, tzinfo=UTC) - BEGIN).total_seconds())
    rows = saved(wrong, *(row(hour * 3600) for hour in range(5)))
    done = roll_up(NOW)
    assert done.counted[Span.HOUR] < 24 * 100
    for span in Span:
        found = {at: by for (at, key), by in rolled_up(span).items() if key == TOTAL and by[""]}
        expected = {at: by for (at, key), by in counted_by_hand(rows, span).items() if key == TOTAL}
        assert found == expected
    assert sum(roll_up(NOW).counted.values()) == 0


def test_a_run_that_was_killed_is_gone_on_with(monkeypatch):
    rows = saved(*(row(hour * 3600) for hour in range(72)))
    write, left = rollups._write, [5]

    def killed(*args):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return write(*args)

    monkeypatch.setattr(rollups, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        roll_up(NOW)
    newest = Rollup.objects.filter(dimension=TOTAL).values_list("begin", flat=True)
    assert set(newest) == {BEGIN + 3 * DAY - number * HOUR for number in range(1, 6)}
    monkeypatch.undo()
    roll_up(NOW)
    assert rolled_up(Span.HOUR) == counted_by_hand(rows, Span.HOUR)
    assert rolled_up(Span.DAY) == counted_by_hand(rows, Span.DAY)


def command(*arguments):
    out = StringIO()
    call_command("rollup_issuances", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_says_what_it_did():
    saved(row(0), row(60), row(7200))
    assert "hours and" in command()
    assert command() == "counted 0 hours and 0 days\n"
    assert command("--from", "2026-03-01T01:00", "--until", "2026-03-01T03:00+00:00") == (
        "counted 2 hours and 0 days\n"
    )
    Issuance.objects.earliest("id").delete()
    assert "1 kept as" in command("--from", "2026-03-01", "--until", "2026-03-01T01:00:00Z")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "yesterday"), "--from: 'yesterday' is no time; write a date or a time"),
        (("--from", "2026-03-02", "--until", "2026-03-01"), "later than --from"),
        (("--all", "--from", "2026-03-02"), "either --all"),
    ],
)
def test_the_command_refuses_what_makes_no_sense(arguments, said):
    with pytest.raises(CommandError, match=said):
        command(*arguments)


def test_rows_that_ask_for_many_repositories_are_counted_in_time():
    asked = [resource(f"acme/{number}", "pull") for number in range(100)]
    saved(*(row(second, requested=asked, granted=asked[:1]) for second in range(2000)))
    begun = time.monotonic()
    found = counts_by_key("repository", FIRST_ID, LAST_ID, 3)
    assert time.monotonic() - begun < 4
    assert set(found.values()) == {Counts(part=2000)}
