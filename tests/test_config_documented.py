"""The shipped configuration file documents every key, and sets none."""

from __future__ import annotations

import re

import pytest

from registry_token.config import SETTINGS, load
from registry_token.config_values import BASE_DIR

SHIPPED = BASE_DIR / "etc" / "registry-token.yaml"
TEXT = SHIPPED.read_text()
# Keys are commented out with the sign alone; a blank after it begins a sentence.
EXAMPLE = re.sub(r"(?m)^( *)#(?! |$)", r"\1", TEXT)


def documented():
    """Key to the comment above it."""
    section, comment, found = "", [], {}
    for line in TEXT.splitlines():
        if match := re.fullmatch(r"( *)#?([a-z_]+):(.*)", line):
            indent, name, value = match.groups()
            if not indent and not line.startswith("#") and not value:
                section = name
            else:
                found[f"{section}.{name}" if indent else name] = " ".join(comment)
            comment = []
        elif line.lstrip().startswith("# "):
            comment.append(line.strip(" #"))
        else:
            comment = []
    return found


def test_documents_every_setting_in_its_section_and_no_other():
    assert documented().keys() == {setting.key for setting in SETTINGS}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_says_what_a_setting_is_for(setting):
    comment = documented()[setting.key]
    assert len(comment) > 30
    assert ("Required" in comment) == (
        setting.required or setting.key in ("secret_key", "signing.key")
    )
    assert (f"{setting.variable}_FILE" in comment) == setting.secret


def test_sets_nothing():
    configuration = load({}, SHIPPED)
    assert configuration.sources == {}
    assert all("is required" in error for error in configuration.errors)


def test_is_a_valid_configuration_without_its_comment_signs(tmp_path):
    path = tmp_path / "registry-token.yaml"
    path.write_text(EXAMPLE.replace('secret_key: ""', "secret_key: a secret key"))
    configuration = load({}, path)
    assert configuration.errors == ()
    assert configuration.sources.keys() == {setting.key for setting in SETTINGS}


@pytest.mark.parametrize(
    "key",
    [
        setting.key
        for setting in SETTINGS
        if setting.default not in (None, ()) or setting.key in ("secret_key", "trusted_proxies")
    ],
)
def test_shows_the_default_where_there_is_one(tmp_path, key):
    path = tmp_path / "registry-token.yaml"
    path.write_text(EXAMPLE)
    shown, default = load({}, path).values[key], load({}, tmp_path / "missing").values[key]
    assert shown == default
