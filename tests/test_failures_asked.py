"""Failed authentications, as a page and by the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from issuances.models import FailedAuthentications
from registry_token import retention

pytestmark = pytest.mark.django_db

PAGE, API = "/admin/failed-authentications/", "/api/v1/failed-authentications"
NOW = datetime.now(UTC).replace(second=0, microsecond=0)


@pytest.fixture(autouse=True)
def counted():
    """Two networks an hour ago, one ten days ago."""
    for age, reason, network, failures, throttled in (
        (timedelta(hours=1), "expired", "203.0.113.0/24", 5, 0),
        (timedelta(hours=1), "invalid", "198.51.100.0/24", 70, 10),
        (timedelta(days=10), "expired", "203.0.113.0/24", 3, 0),
    ):
        FailedAuthentications.objects.create(
            minute=NOW - age,
            reason=reason,
            network=network,
            failures=failures,
            throttled=throttled,
        )


@pytest.fixture
def auditor(client_with):
    return client_with("view_issuance")


def test_the_api_tells_of_a_day_unless_asked_otherwise(auditor):
    found = auditor.get(API).json()
    assert (found["failures"], found["throttled"], found["step"]) == (75, 10, "hour")
    assert found["reasons"] == [
        {"reason": "invalid", "failures": 70, "throttled": 10},
        {"reason": "expired", "failures": 5, "throttled": 0},
    ]
    assert [one["network"] for one in found["networks"]] == ["198.51.100.0/24", "203.0.113.0/24"]
    (hour,) = found["times"]
    assert hour["at"] == f"{NOW - timedelta(hours=1):%Y-%m-%dT%H:00:00Z}"
    assert set(found) >= {"from", "until"}


@pytest.mark.parametrize(
    ("query", "failures"),
    [
        ({"since": "30d"}, 78),
        ({"since": "30d", "reason": "expired"}, 8),
        ({"reason": "nonexistent"}, 0),
        ({"from": f"{NOW - timedelta(days=11):%Y-%m-%d}"}, 78),
        ({"until": f"{NOW - timedelta(days=8):%Y-%m-%dT%H:%M:%SZ}"}, 0),
        ({"until": f"{NOW - timedelta(days=9.5):%Y-%m-%dT%H:%M:%SZ}"}, 3),
    ],
)
def test_the_api_tells_of_a_time_and_a_reason(auditor, query, failures):
    assert auditor.get(API, query).json()["failures"] == failures


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"since": "1y"}, "since: write one of 1h, 24h, 7d, 30d"),
        ({"from": "yesterday"}, "from: write a date or a time in UTC"),
        ({"from": "2026-02-01", "until": "2026-01-01"}, "until: must be later than from"),
        ({"since": "1h", "from": "2026-02-01"}, "since: give either since, or from and until"),
        ({"network": "x"}, "unknown parameter network"),
    ],
)
def test_a_wrong_parameter_is_named(auditor, query, said):
    response = auditor.get(API, query)
    assert response.status_code == 400
    assert said in response.json()["errors"][0]["message"]


@pytest.mark.parametrize("path", [API, "/admin/failed-authentications/"])
def test_a_time_before_which_there_is_no_other_has_no_failures(auditor, path):
    assert auditor.get(path, {"until": "0001-01-01T01:00"}).status_code == 200


def test_programs_need_the_scope(client, authority):
    def asked(scope):
        headers = {"Authorization": f"Bearer {authority.token('community', scope=scope)}"}
        return client.get(API, headers=headers).status_code

    assert asked("registry.token.issue registry.audit.read") == 200
    assert asked("registry.token.issue") == 403


def test_the_page_shows_reasons_networks_and_times(auditor):
    page = auditor.get(PAGE).content.decode()
    for text in ("75 failed authentications", "10 of them answered 429", "198.51.100.0/24"):
        assert text in page
    assert "action__exact=login_failed" not in page  # for those who may see it


def test_the_page_leads_to_failed_log_ins(client_with):
    client = client_with("view_issuance", "view_activity")
    assert "action__exact=login_failed" in client.get(PAGE).content.decode()


def test_the_page_is_of_a_time_and_a_reason(auditor):
    page = auditor.get(PAGE, {"since": "30d", "reason": "expired"}).content.decode()
    assert "8 failed authentications" in page
    assert "198.51.100.0/24" not in page


def test_a_reason_on_the_page_leads_to_its_own_failures(auditor):
    page = auditor.get(PAGE, {"since": "30d"}).content.decode()
    assert 'href="?since=30d&amp;reason=expired"' in page


def test_the_page_says_what_is_wrong(auditor):
    response = auditor.get(PAGE, {"from": "yesterday"})
    assert response.status_code == 400
    assert "write a date or a time in UTC" in response.content.decode()


def test_a_time_that_begins_after_its_end_is_none(auditor):
    response = auditor.get(PAGE, {"from": "2999-01-01"})
    assert response.status_code == 400
    assert "write a time before the end of the range" in response.content.decode()


def test_an_empty_time_says_so(auditor):
    assert "0 failed authentications" in auditor.get(PAGE, {"reason": "x"}).content.decode()


def test_they_are_pruned_with_the_log():
    before = NOW - timedelta(days=5)
    done = retention.prune(before, [], actor="test", report=print)
    assert done.failures == 1
    assert FailedAuthentications.objects.count() == 2
