"""Wrong passwords: five of them for one name from one address are enough for a while."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from ipaddress import ip_network

import pytest
from axes.backends import AxesStandaloneBackend
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from people.models import Action, Activity

pytestmark = pytest.mark.django_db

LOGIN = "/admin/login/"
PASSWORD = "a password of alice's"


@pytest.fixture(autouse=True)
def alice():
    return User.objects.create_superuser("alice", password=PASSWORD)


def log_in(client, password=PASSWORD, name="alice", **extra):
    return client.post(LOGIN, {"username": name, "password": password}, **extra)


def fail(client, times, **options):
    return [log_in(client, f"wrong {n}", **options).status_code for n in range(times)]


def test_the_fifth_wrong_password_locks(client):
    assert fail(client, 6) == [200, 200, 200, 200, 429, 429]


def test_the_right_password_does_not_help_any_more(client):
    fail(client, 5)
    response = log_in(client)
    assert response.status_code == 429
    assert client.get("/admin/").status_code == 302
    page = response.content.decode()
    assert "Try again in 15 minutes" in page
    assert 800 < int(response["Retry-After"]) <= 900
    assert response["X-Frame-Options"] == "DENY"
    assert "Content-Security-Policy" in response


def test_four_wrong_passwords_do_not_lock_and_are_forgotten_with_the_right_one(client):
    for _ in range(2):
        assert fail(client, 4) == [200] * 4
        assert log_in(client).status_code == 302
        client.post("/admin/logout/")


def test_others_and_other_addresses_are_not_locked(client):
    User.objects.create_superuser("bob", password=PASSWORD)
    fail(client, 5)
    assert log_in(client, name="bob").status_code == 302
    client.post("/admin/logout/")
    assert log_in(client, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_another_browser_does_not_help(client):
    fail(client, 5)
    assert log_in(client, headers={"User-Agent": "another"}).status_code == 429


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:2:3:4:5:6", True),
        ("2001:db8::1", "2001:db8:0:100::1", False),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("192.0.2.7", "192.0.2.8", False),
        ("", "", True),  # of a unix socket
    ],
)
def test_the_addresses_of_one_household_are_one(client, first, second, is_same):
    fail(client, 5, REMOTE_ADDR=first)
    assert log_in(client, REMOTE_ADDR=second).status_code == (429 if is_same else 302)


def test_guesses_whose_password_is_still_being_looked_at_count(client, rf):
    """As many at once would be free otherwise."""
    for _ in range(5):
        request = rf.post(LOGIN)
        request.client_address = "127.0.0.1"
        AxesStandaloneBackend().authenticate(request, username="alice", password="wrong")
    assert log_in(client).status_code == 429


@pytest.mark.parametrize("trusted", [True, False])
def test_only_a_trusted_proxy_speaks_for_other_addresses(client, settings, trusted):
    proxy = "127.0.0.1" if trusted else "192.0.2.1"
    settings.TRUSTED_PROXIES = (ip_network(proxy),)
    for n in range(5):
        log_in(client, "wrong", headers={"X-Forwarded-For": f"198.51.100.{n}"})
    assert (log_in(client).status_code == 302) == trusted
    addresses = {attempt.ip_address for attempt in AccessAttempt.objects.all()}
    assert ("127.0.0.1" in addresses) == (not trusted)


def test_the_lock_ends_and_attempts_meanwhile_do_not_prolong_it(client):
    fail(client, 5)
    AccessAttempt.objects.update(attempt_time=_earlier(minutes=10))
    response = log_in(client)
    assert (response.status_code, int(response["Retry-After"]) <= 300) == (429, True)
    AccessAttempt.objects.update(attempt_time=_earlier(minutes=15, seconds=1))
    assert log_in(client).status_code == 302


def _earlier(**ago):
    return timezone.now() - timedelta(**ago)


def test_an_operator_unlocks_by_a_command(client):
    fail(client, 5)
    call_command("axes_reset_username", "alice", stdout=StringIO())
    assert log_in(client).status_code == 302


def test_the_activity_log_says_so_and_nobody_fills_a_table(client):
    fail(client, 12)
    actions = [row.action for row in Activity.objects.all()]
    assert actions.count(Action.LOCKED_OUT) == 1
    assert actions.count(Action.LOGIN_FAILED) == 5
    assert AccessAttempt.objects.count() == 1


def test_no_table_holds_a_password_or_a_csrf_token(client):
    log_in(client, "the secret of alice")
    client.post(LOGIN, {"username": "a", "password": "secret", "csrfmiddlewaretoken": "secret"})
    assert "secret" not in str([*AccessAttempt.objects.values()])


@pytest.mark.parametrize("name", ["x" * 5000, "é\x1b[2J", "a\x00b", " ", ""])
def test_any_name_is_an_answer(client, name):
    assert log_in(client, "wrong", name=name).status_code == 200


@pytest.mark.usefixtures("catalogue")
def test_a_locked_out_person_still_gets_registry_tokens(client, authority, get_token):
    fail(client, 6)
    token = authority.token("community", sub="alice")
    scope = "repository:stella-ops/public/app:pull"
    assert get_token(token, scope).status_code == 200
    assert get_token("no token").status_code == 401


def test_its_tables_are_not_in_the_admin(admin_client):
    assert "axes" not in admin_client.get("/admin/").content.decode()
