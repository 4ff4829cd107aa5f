"""Lists of the configuration: separated by commas, and unset when nothing is in them."""

from __future__ import annotations

import pytest

from registry_token.config import SETTINGS
from tests.configuration import in_file, read, variable

LISTS = [setting.key for setting in SETTINGS if setting.is_list]
REQUIRED_LISTS = [setting.key for setting in SETTINGS if setting.is_list and setting.required]
DEFAULTS = {setting.key: setting.default for setting in SETTINGS}


@pytest.mark.parametrize("text", ["[]", '""', '","', '[""]'])
@pytest.mark.parametrize("key", LISTS)
def test_a_list_of_nothing_is_unset(tmp_path, key, text):
    configuration = read(tmp_path, in_file(key, text), **{variable(key): None})
    if key in REQUIRED_LISTS:
        assert [error for error in configuration.errors if "is required" in error]
    else:
        assert configuration.errors == ()
        assert configuration.values[key] == DEFAULTS[key]


@pytest.mark.parametrize("text", ["", ",", " ", " , "])
@pytest.mark.parametrize("key", LISTS)
def test_a_variable_of_nothing_is_unset(tmp_path, key, text):
    configuration = read(tmp_path, **{variable(key): text})
    if key in REQUIRED_LISTS:
        assert [error for error in configuration.errors if "is required" in error]
    else:
        assert configuration.values[key] == DEFAULTS[key]


@pytest.mark.parametrize(
    ("text", "services"),
    [
        ("a,b", ("a", "b")),
        (" a , b ", ("a", "b")),
        ("a,,b,", ("a", "b")),
        ("b,a,b", ("b", "a")),
    ],
    ids=["comma", "blanks", "empty items", "the same twice"],
)
def test_lists_are_separated_by_commas(tmp_path, text, services):
    assert read(tmp_path, REGISTRY_SERVICES=text).values["registry.services"] == services


def test_a_list_may_be_one_text_in_the_file(tmp_path):
    text = in_file("registry.services", "a, b")
    assert read(tmp_path, text, REGISTRY_SERVICES=None).values["registry.services"] == ("a", "b")
