"""What the worker knows without Django agrees with what Django knows."""

from __future__ import annotations

from registry_token import connection, errors, token_request


def test_pages_are_where_the_service_has_them():
    assert connection.PAGES == errors.MANAGEMENT_PATHS


def test_a_form_fits_with_the_framing_of_its_chunks():
    assert connection.MAX_BODY >= 2 * token_request.MAX_FORM
