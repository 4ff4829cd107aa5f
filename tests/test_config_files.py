"""The configuration's files: strict YAML, unknown keys, and secrets in files of their own."""

from __future__ import annotations

import pytest

from registry_token.config import load
from registry_token.yaml_files import MAX_BYTES
from tests.configuration import REQUIRED, in_file, read, variable


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("debugg: true", "debugg"),
        ("authorty: {issuer: https://a}", "authorty.issuer"),
        ("authorty:", "authorty"),
        ("authorty: {}", "authorty"),
        ("authority: {isuer: https://a}", "authority.isuer"),
        ("authority: {isuer: }", "authority.isuer"),
        ("authority: {1: a}", "authority.1"),
        ("authority: https://a", "authority"),
        ("authority: []", "authority"),
        ("secret_key: {file: a}", "secret_key.file"),
        ("authority.issuer: https://a", "authority.issuer"),
        ("Debug: true", "Debug"),
    ],
    ids=lambda text: text,
)
def test_unknown_keys_are_errors(tmp_path, text, key):
    errors = read(tmp_path, text).errors
    assert len(errors) == 1
    assert key in errors[0]


@pytest.mark.parametrize("text", ["", "# nothing\n", "authority:\nsigning:\n", "authority: {}\n"])
def test_a_file_without_keys_is_valid(tmp_path, text):
    configuration = read(tmp_path, text)
    assert configuration.errors == ()
    assert str(configuration.path) not in configuration.sources.values()


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("debug: true\ndebug: false", "line 2: the key 'debug' stands twice"),
        ("signing:\n  kid: a\n  kid: b", "line 3: the key 'kid' stands twice"),
        ("signing: {}\nplans: {}\nsigning: {}", "line 3: the key 'signing' stands twice"),
        ("signing: &a {}\nplans: *a", "line 2: aliases (*name) are not allowed"),
        ("debug: [true", "line 1: "),
        ("debug: true\n\tx: y", "line 2: "),
        ("debug: !!python/name:os.system x", "line 1: "),
        ("debug: 2026-13-45", "not valid YAML"),
        ("a\x01: b", "not valid YAML"),
        ("[" * 5000, "not valid YAML"),
        ("- debug", "must hold a mapping"),
        ("debug", "must hold a mapping"),
        ("1: a", "must hold a mapping"),
        ("a: b\n---\nc: d", "not valid YAML"),
    ],
    ids=lambda text: ascii(text[:30]),
)
def test_a_file_that_is_no_strict_yaml_is_an_error(tmp_path, text, error):
    configuration = read(tmp_path, text)
    (said,) = configuration.errors
    assert error in said
    assert str(configuration.path) in said


@pytest.mark.parametrize(
    "text",
    ["? [a]\n: b", "? {a: b}\n: c", "debug: !!bool x", "debug: !!timestamp x", "debug: !!int ''"],
)
def test_yaml_that_the_library_trips_over_is_an_error_too(tmp_path, text):
    (said,) = read(tmp_path, text).errors
    assert "is not valid YAML" in said


def test_a_file_of_another_encoding_or_size_is_an_error(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"plans: {default: \xe9}")
    assert "cannot be read" in load(REQUIRED, path).errors[0]
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    assert "is larger than" in load(REQUIRED, path).errors[0]
    assert "cannot be read" in load(REQUIRED, _directory(tmp_path)).errors[0]


TEXTS = ["secret_key", "authority.issuer", "signing.kid", "signing.issuer", "plans.default"]
LISTS = ["authority.audiences", "registry.services", "allowed_hosts", "authority.algorithms"]
NOT_TEXT = ["0123", "no", "1.5", "2026-11-23", "7"]


@pytest.mark.parametrize("yaml", NOT_TEXT)
@pytest.mark.parametrize("key", TEXTS + LISTS)
def test_what_yaml_takes_for_something_else_is_not_text(tmp_path, key, yaml):
    errors = read(tmp_path, in_file(key, yaml), **{variable(key): None}).errors
    assert "must be text; put it in quotes" in errors[0]


@pytest.mark.parametrize("yaml", NOT_TEXT)
@pytest.mark.parametrize("key", LISTS)
def test_what_yaml_takes_for_something_else_is_no_text_in_a_list(tmp_path, key, yaml):
    errors = read(tmp_path, in_file(key, f"[{yaml}]"), **{variable(key): None}).errors
    assert "must be text; put it in quotes" in errors[0]


@pytest.mark.parametrize("yaml", ["[a]", "[a, b]", "[[]]"])
@pytest.mark.parametrize("key", [*TEXTS, "debug", "authority.leeway", "database.url"])
def test_a_list_is_no_single_value(tmp_path, key, yaml):
    errors = read(tmp_path, in_file(key, yaml), **{variable(key): None}).errors
    assert "must be a single value, not a list or mapping" in errors[0]


@pytest.mark.parametrize(
    ("key", "yaml"),
    [
        ("debug", "1"),
        ("debug", "1.0"),
        ("authority.leeway", "true"),
        ("authority.leeway", "1.0"),
        ("signing.lifetime", "'1e2'"),
    ],
)
def test_what_is_no_decimal_number_or_boolean_is_refused(tmp_path, key, yaml):
    (error,) = read(tmp_path, in_file(key, yaml)).errors
    assert "must be" in error


def test_a_missing_file_is_an_error_only_where_it_is_named(tmp_path):
    missing = tmp_path / "missing.yaml"
    assert load(REQUIRED, missing).errors == ()
    named = load(REQUIRED | {"REGISTRY_TOKEN_CONFIG": str(missing)}, tmp_path / "b.yaml")
    assert named.errors == (f"{missing} does not exist",)
    assert named.path == missing


def test_the_named_file_replaces_the_default_one(tmp_path):
    (tmp_path / "default.yaml").write_text("plans: {default: a}")
    (tmp_path / "named.yaml").write_text("plans: {anonymous: b}")
    environment = REQUIRED | {"REGISTRY_TOKEN_CONFIG": str(tmp_path / "named.yaml")}
    values = load(environment, tmp_path / "default.yaml").values
    assert (values["plans.default"], values["plans.anonymous"]) == (None, "b")
    environment["REGISTRY_TOKEN_CONFIG"] = ""
    values = load(environment, tmp_path / "default.yaml").values
    assert (values["plans.default"], values["plans.anonymous"]) == ("a", None)


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL"])
def test_a_secret_may_be_in_a_file_of_its_own(tmp_path, name):
    secret = tmp_path / "secret"
    secret.write_text("sqlite:///var/a.sqlite3\n")
    text = "secret_key: b\ndatabase: {url: sqlite:///var/b.sqlite3}"
    configuration = read(tmp_path, text, SECRET_KEY=None, **{f"{name}_FILE": str(secret)})
    assert configuration.errors == ()
    key = name.lower().replace("database_", "database.")
    assert configuration.sources[key] == f"REGISTRY_TOKEN_{name}_FILE"
    assert "a.sqlite3" in str(configuration.values[key])


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL"])
def test_a_secret_file_that_cannot_be_read_is_an_error(tmp_path, name):
    missing = tmp_path / "missing"
    errors = read(tmp_path, **{name: None, f"{name}_FILE": str(missing)}).errors
    said = f"REGISTRY_TOKEN_{name}_FILE: {missing} cannot be read (FileNotFoundError)"
    assert errors[0] == said


def test_a_secret_and_its_file_together_are_an_error(tmp_path):
    (tmp_path / "secret").write_text("from the file")
    file = str(tmp_path / "secret")
    (error,) = read(tmp_path, SECRET_KEY="a", SECRET_KEY_FILE=file).errors
    assert error.startswith("REGISTRY_TOKEN_SECRET_KEY_FILE: REGISTRY_TOKEN_SECRET_KEY is set too")


@pytest.mark.parametrize("name", ["SIGNING_KEY_FILE", "PLANS_DEFAULT_FILE", "CONFIG_FILE"])
def test_only_secrets_have_files_of_their_own(tmp_path, name):
    (error,) = read(tmp_path, **{name: "a"}).errors
    assert "unknown variable" in error


def _directory(folder):
    (folder / "folder").mkdir()
    return folder / "folder"
