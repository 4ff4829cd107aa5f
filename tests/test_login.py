"""Sessions: how long they last."""

from __future__ import annotations

import pytest

from people.models import Activity

HOUR = 3600


def is_logged_in(client):
    return client.get("/admin/").status_code == 200


def shift(client, **seconds):
    """As if the session's times were so long ago."""
    session = client.session
    for name, past in seconds.items():
        session[name] -= past
    session.save()


@pytest.mark.parametrize(
    ("began", "seen", "lasts"),
    [
        (0, 0, True),
        (HOUR - 60, HOUR - 60, True),
        (HOUR + 1, HOUR + 1, False),
        (11 * HOUR, 0, True),
        (12 * HOUR + 1, 0, False),
    ],
)
def test_a_session_ends_after_an_hour_without_use_or_twelve_in_all(
    admin_client, began, seen, lasts
):
    assert is_logged_in(admin_client)
    shift(admin_client, began=began, seen=seen)
    assert is_logged_in(admin_client) == lasts
    assert Activity.objects.filter(action="logged_out").exists() != lasts


def test_use_keeps_a_session(admin_client):
    assert is_logged_in(admin_client)
    for _ in range(3):
        shift(admin_client, began=50 * 60, seen=50 * 60)
        assert is_logged_in(admin_client)


@pytest.mark.parametrize("field", ["is_active", "is_staff"])
def test_who_is_switched_off_is_out_with_the_next_click(admin_client, admin_user, field):
    assert is_logged_in(admin_client)
    type(admin_user).objects.filter(pk=admin_user.pk).update(**{field: False})
    assert not is_logged_in(admin_client)
