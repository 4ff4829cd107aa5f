"""The dashboard: its numbers are those of the log, wherever they come from; each leads there."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest

from issuances.counting import rollup_reading
from issuances.counting.rollup_counts import TOTAL
from issuances.counting.rollups import Span, roll_up
from issuances.finding.filters import IssuanceFilter
from issuances.models import Issuance, Rollup
from plans.models import CatalogueRevision
from registry_token import dashboard
from registry_token.charts import scale_of
from tests.log_rows import BEGIN, resource, row, saved

pytestmark = pytest.mark.django_db

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def some_rows(*hours_ago, **fields):
    """One row so many hours ago each."""
    now = (datetime.now(UTC) - BEGIN).total_seconds()
    return saved(*(row(now - hours * 3600, **fields) for hours in hours_ago))


def shown(client, period="24h"):
    response = client.get("/admin/dashboard/", {"period": period})
    assert response.status_code == 200
    return response


def totals_of(response):
    total = response.context["activity"].total
    return total.granted, total.part, total.refused


def ranking(response, dimension):
    (found,) = (one for one in response.context["rankings"] if one.dimension == dimension)
    return {line.label: line.counts.rows for line in found.lines}


@pytest.mark.parametrize("period", dashboard.PERIODS)
@pytest.mark.parametrize("rolled_up", ["never", "an hour ago", "yesterday", "now"])
def test_shows_the_same_wherever_the_numbers_come_from(admin_client, period, rolled_up):
    now = datetime.now(UTC)
    some_rows(0, 0.5, 1, 3, 5, 23, 30, 47, 60, 24 * 6, 24 * 20, 24 * 32)
    some_rows(2, 26, 24 * 9, refusal="nothing_granted", subject="bob")
    some_rows(4, 24 * 15, granted=[], plan="trial")
    ago = {"an hour ago": HOUR, "yesterday": DAY, "now": timedelta(0)}
    if rolled_up in ago:
        roll_up(now - ago[rolled_up])
    begin = dashboard.PERIODS[period].begin(now)
    rows = [one for one in Issuance.objects.all() if one.created_at >= begin]
    refused = sum(one.refusal != "" for one in rows)
    part = sum(one.refusal == "" and one.granted != one.requested for one in rows)
    response = shown(admin_client, period)
    assert totals_of(response) == (len(rows) - refused - part, part, refused)
    assert not response.context["activity"].has_gaps
    assert sum(ranking(response, "subject").values()) == len(rows)
    assert ranking(response, "reason") == {"nothing_granted": refused}
    assert ranking(response, "plan").get("trial", 0) == part


def test_every_bar_and_number_leads_to_its_rows(admin_client):
    some_rows(0, 2, 2, 40, requested=[resource("acme/app", "pull"), resource("acme/lib", "pull")])
    some_rows(1, 3, refusal="licence_revoked", licence="LIC-9")
    some_rows(5, granted=[])
    roll_up(datetime.now(UTC))
    html = shown(admin_client, "48h").content.decode()
    bars = re.findall(r'<a href="([^"]*)" tabindex="-1"><title>[^<]* (\d+)</title>', html)
    numbers = re.findall(r'<td class="number"><a href="([^"]*)">(\d+)</a>', html)
    assert len(bars) == 6
    assert len(numbers) > 15
    for url, number in bars + numbers:
        given = dict(parse_qsl(urlsplit(unescape(url)).query))
        assert IssuanceFilter(given).filtered.rows.count() == int(number), url


def test_the_numbers_stand_in_a_table_too(admin_client):
    some_rows(2, 2, 3)
    lines = shown(admin_client).context["activity"].lines
    assert [line.counts.granted for line in lines if line.counts.rows] == [2, 1]
    assert lines[0].label > lines[-1].label


def test_an_empty_log_has_no_chart(admin_client):
    html = shown(admin_client).content.decode()
    assert "No decision in this time" in html
    assert 'class="chart' not in html
    assert "rollup_issuances" not in html


def test_marks_the_changes_of_the_catalogue(admin_client):
    some_rows(0)
    for number in (7, 8):
        at = datetime.now(UTC) - 5 * HOUR + timedelta(seconds=number)
        CatalogueRevision.objects.create(number=number, created_at=at, actor="carol", source="x")
    old = datetime.now(UTC) - 50 * HOUR
    CatalogueRevision.objects.create(number=6, created_at=old, actor="carol", source="x")
    response = shown(admin_client)
    (mark,) = response.context["activity"].chart.marks
    assert (mark.label, mark.url) == ("r7–8", "/admin/plans/cataloguerevision/8/change/")
    assert [one.number for one in response.context["revisions"]] == [8, 7]


def test_hides_the_changes_from_who_may_not_see_them(client_with):
    some_rows(0)
    CatalogueRevision.objects.create(number=7, actor="carol", source="x")
    response = shown(client_with("view_issuance"))
    assert response.context["activity"].chart.marks == []
    assert "carol" not in response.content.decode()


def test_is_for_those_who_may_see_the_log(client_with):
    assert client_with("view_plan").get("/admin/dashboard/").status_code == 403


def test_an_unknown_period_is_an_error_that_names_the_known(admin_client):
    response = admin_client.get("/admin/dashboard/?period=century")
    assert response.status_code == 400
    assert "24h, 48h, 7d, 30d, 90d, 1y" in response.content.decode()


def test_without_a_roll_up_it_counts_the_newest_rows_and_says_what_to_run(
    admin_client, monkeypatch
):
    monkeypatch.setattr(rollup_reading, "LIVE_ROWS", 3)
    some_rows(0.1, 0.2, 5, 7, 9)
    response = shown(admin_client)
    assert totals_of(response) == (3, 0, 0)
    html = response.content.decode()
    assert "never been rolled up" in html
    assert "manage.py rollup_issuances" in html
    assert "not counted yet" in html


def test_says_what_the_roll_up_has_not_reached(admin_client):
    some_rows(0.1, 5, 60, 80)
    roll_up(datetime.now(UTC))
    hours = Rollup.objects.filter(span=Span.HOUR, dimension=TOTAL)
    gone = hours.order_by("-begin")[4].begin
    Rollup.objects.filter(begin=gone).delete()
    html = shown(admin_client).content.decode()
    assert "hatched times have not been counted" in html
    assert html.count("not all counted yet") == 1


def test_many_rows_since_the_last_roll_up_are_cut(admin_client, monkeypatch):
    monkeypatch.setattr(rollup_reading, "LIVE_ROWS", 3)
    some_rows(30, 0.1, 0.2, 0.3, 0.4)
    roll_up(datetime.now(UTC) - 2 * HOUR)
    response = shown(admin_client)
    assert "the newest 3 are, since" in response.content.decode()
    assert totals_of(response) == (3, 0, 0)


def test_the_number_of_queries_does_not_grow_with_the_log(
    admin_client, django_assert_max_num_queries
):
    some_rows(*(number / 10 for number in range(200)))
    with django_assert_max_num_queries(40):
        shown(admin_client, "1y")
    roll_up(datetime.now(UTC))
    with django_assert_max_num_queries(40):
        shown(admin_client, "1y")


def test_nothing_is_styled_or_scripted_within_the_page(admin_client):
    some_rows(0, 1)
    html = shown(admin_client).content.decode()
    content = html[html.index('id="content"') :]
    assert " style=" not in content
    assert "<style" not in content
    assert not re.search(r"<script(?![^>]* src=)", content)


def test_what_callers_sent_is_escaped(admin_client):
    some_rows(0, subject="<b>bob</b>", plan="&amp;")
    html = shown(admin_client).content.decode()
    assert "&lt;b&gt;bob" in html
    assert "<b>bob" not in html


def test_the_overview_shows_the_last_day(admin_client):
    assert "The last 24 hours" not in admin_client.get("/admin/").content.decode()
    some_rows(0, 1)
    html = admin_client.get("/admin/").content.decode()
    assert "The last 24 hours" in html
    assert 'href="/admin/dashboard/"' in html


@pytest.mark.parametrize(
    ("most", "scale"), [(0, 1), (1, 1), (7, 8), (10, 10), (11, 20), (99, 100), (450, 500)]
)
def test_scales_are_round(most, scale):
    assert scale_of(most) == scale
