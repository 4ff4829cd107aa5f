"""Refusals in words, for those who do not know the codes."""

from __future__ import annotations

import pytest

from issuances.models import Issuance
from issuances.refusals import refusal_in_words
from registry_token.entitlement import CHECKS
from registry_token.pages.audit_words import remedy_of

CODES = [code for code, _check in CHECKS] + ["nothing_granted"]


@pytest.mark.parametrize("code", CODES)
def test_every_refusal_has_its_words(code):
    assert " " in refusal_in_words(code)


@pytest.mark.parametrize("code", CODES)
def test_every_refusal_has_its_remedy_on_the_page_of_a_row(code):
    assert remedy_of(Issuance(refusal=code))


def test_a_code_of_a_newer_version_is_shown_as_it_is():
    assert refusal_in_words("of_tomorrow") == "of_tomorrow"
    assert refusal_in_words("") == ""
