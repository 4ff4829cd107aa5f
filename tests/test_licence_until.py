"""A revocation may end by itself: from its end on the licence counts as good, on every path."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from licences.models import RevokedLicence
from registry_token.record import read_facts

pytestmark = pytest.mark.usefixtures("catalogue")

PULL = "repository:stella-ops/public/app:pull"


def moment(**ahead):
    return datetime.now(UTC) + timedelta(**ahead)


@pytest.mark.parametrize(
    ("until", "status"),
    [
        (None, 403),
        (timedelta(minutes=1), 403),
        (timedelta(days=400), 403),
        (timedelta(seconds=-2), 200),
        (timedelta(days=-400), 200),
    ],
)
@pytest.mark.parametrize("whole", [True, False], ids=["whole second", "fraction"])
def test_only_a_revocation_that_has_not_ended_refuses(authority, get_token, until, status, whole):
    end = (
        None
        if until is None
        else (datetime.now(UTC) + until).replace(microsecond=0 if whole else 1)
    )
    RevokedLicence.objects.create(licence="LIC-9", until=end)
    assert get_token(authority.token("enterprise", "lic-9"), PULL).status_code == status
    assert read_facts("LIC-9").licence_revoked is (status == 403)


def test_a_moved_end_counts_at_the_next_request(authority, get_token):
    revoked = RevokedLicence.objects.create(licence="LIC-9", until=moment(hours=1))
    token = authority.token("enterprise", "LIC-9")
    assert get_token(token, PULL).status_code == 403
    revoked.until = moment(hours=-1)
    revoked.save()
    assert get_token(token, PULL).status_code == 200
    revoked.until = None
    revoked.save()
    assert get_token(token, PULL).status_code == 403


def test_an_ended_revocation_costs_no_query_more(authority, get_token):
    RevokedLicence.objects.create(licence="LIC-9", until=moment(hours=-1))
    token = authority.token("enterprise", "LIC-9")
    get_token(token, PULL)
    with CaptureQueriesContext(connection) as queries:
        assert get_token(token, PULL).status_code == 200
    assert len(queries) == 1


def load(tmp_path, text):
    path = tmp_path / "catalogue.yaml"
    path.write_text(text)
    out = StringIO()
    call_command("load_catalogue", path, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("written", "until"),
    [
        ("2030-01-31", datetime(2030, 1, 31, tzinfo=UTC)),
        ("2030-01-31T12:00:00Z", datetime(2030, 1, 31, 12, tzinfo=UTC)),
        ("2030-01-31 12:00:00+02:00", datetime(2030, 1, 31, 10, tzinfo=UTC)),
    ],
)
def test_the_catalogue_file_carries_the_end(tmp_path, written, until):
    text = f"revoked_licences: [{{licence: LIC-9, until: {written}}}]"
    assert "added revoked licence LIC-9" in load(tmp_path, text)
    assert RevokedLicence.objects.get(licence="LIC-9").until == until
    dumped = StringIO()
    call_command("dump_catalogue", stdout=dumped)
    assert load(tmp_path, dumped.getvalue()) == "nothing to change\n"
    without = "revoked_licences: [{licence: LIC-9}]"
    assert load(tmp_path, without) == "changed revoked licence LIC-9\n"
    assert RevokedLicence.objects.get(licence="LIC-9").until is None


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("2030-01-31 12:00:00", "must have its zone"),
        ("soon", "must be a date such as"),
        ("12", "must be a date such as"),
    ],
)
def test_an_unclear_end_in_the_file_is_an_error(tmp_path, written, message):
    with pytest.raises(CommandError, match=rf"revoked_licences\[0\].until.*{message}"):
        load(tmp_path, f"revoked_licences: [{{licence: LIC-9, until: {written}}}]")
