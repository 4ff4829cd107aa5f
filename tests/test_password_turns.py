"""Looking at passwords takes long: it must not take all threads of a process."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from axes.models import AccessAttempt
from django.http import HttpRequest, HttpResponse

from registry_token import password_turns

pytestmark = pytest.mark.django_db

PAGES = ("/admin/login/", "/admin/password_change/")
FORM = {"username": "admin", "password": "password", "old_password": "password"}


@pytest.fixture
def crowd():
    """As many who send passwords as there are places; they stay until the test is over."""
    done, inside, most = threading.Event(), [], []

    def view():
        inside.append(1)
        most.append(len(inside))
        done.wait(20)
        inside.pop()
        return HttpResponse()

    with ThreadPoolExecutor(password_turns.PLACES) as pool:
        for _ in range(password_turns.PLACES):
            pool.submit(password_turns.in_turn, HttpRequest(), view)
        try:
            while password_turns._PLACES.acquire(blocking=False):
                password_turns._PLACES.release()
            yield
        finally:
            done.set()
    assert most == [1] * password_turns.PLACES


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize("page", PAGES)
def test_who_finds_too_many_waiting_is_told_to_come_again(admin_client, page):
    response = admin_client.post(page, FORM)
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert "Try again in a few seconds" in response.content.decode()
    assert not AccessAttempt.objects.exists()
    assert admin_client.get(page, follow=True).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_the_next_one_has_a_place_again(admin_client, page):
    for _ in range(password_turns.PLACES + 1):
        assert admin_client.post(page, FORM).status_code in (200, 302)


def test_a_place_is_free_again_after_a_fault():
    def fault():
        raise ZeroDivisionError

    for _ in range(password_turns.PLACES + 1):
        with pytest.raises(ZeroDivisionError):
            password_turns.in_turn(HttpRequest(), fault)
