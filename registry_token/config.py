"""The configuration: one YAML file and REGISTRY_TOKEN_* variables, read strictly and all at once.

Every key is one line of `SETTINGS` below; `etc/registry-token.yaml` documents them. The
environment wins over the file. Nothing is read twice and nothing is ignored: unknown names and
values that do not parse are errors, collected so that one start shows them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from registry_token import config_values as values
from registry_token.yaml_files import read_mapping

PREFIX = "REGISTRY_TOKEN_"
CONFIG_VARIABLE = "REGISTRY_TOKEN_CONFIG"


@dataclass(frozen=True, slots=True)
class Setting:
    """One key. `read` turns its text, or each text of a list, into the value or a ValueError.

    `native` is what a YAML file may hold besides text: a YAML 0123 must not become a secret "83".
    """

    key: str
    read: Callable[[str], Any]
    default: Any = None
    required: bool = False
    is_list: bool = False
    secret: bool = False
    native: type = str
    fix: str = ""

    @property
    def variable(self) -> str:
        """The environment variable: authority.issuer is REGISTRY_TOKEN_AUTHORITY_ISSUER."""
        return PREFIX + self.key.replace(".", "_").upper()


SETTINGS = (
    Setting("secret_key", str, secret=True),
    Setting("allowed_hosts", values.host, ("localhost", "127.0.0.1", "[::1]"), is_list=True),
    Setting("debug", values.boolean, False, native=bool),
    Setting("trusted_proxies", values.network, (), is_list=True),
    Setting(
        "authority.issuer",
        values.issuer_url,
        required=True,
        fix="set it to the iss of the Authority's tokens, e.g. https://authority.example.com",
    ),
    Setting(
        "authority.audiences",
        values.text,
        required=True,
        is_list=True,
        fix="set it to the aud that the Authority puts into tokens for this service",
    ),
    Setting("authority.jwks", values.jwks_location),
    Setting("authority.required_scopes", values.scope, ("registry.token.issue",), is_list=True),
    Setting("authority.algorithms", values.algorithm, ("RS256", "PS256", "ES256"), is_list=True),
    Setting("authority.leeway", values.whole_number(0, 120), 30, native=int),
    Setting("authority.development_key", values.path),
    Setting("signing.key", values.path),
    Setting("signing.certificate", values.path),
    Setting(
        "signing.issuer",
        values.text,
        required=True,
        fix="set it to the iss of registry tokens, the registry's auth.token.issuer",
    ),
    Setting("signing.kid", values.one_of("thumbprint", "libtrust"), "thumbprint"),
    Setting("signing.lifetime", values.whole_number(60, 300), 300, native=int),
    Setting(
        "registry.services",
        values.text,
        required=True,
        is_list=True,
        fix="set it to the service names of the registries, their auth.token.service",
    ),
    Setting("registry.realm", values.realm_url),
    Setting("registry.on_nothing_granted", values.one_of("refuse", "empty_token"), "refuse"),
    Setting("plans.default", values.text),
    Setting("plans.anonymous", values.text),
    Setting("throttle.failures", values.whole_number(0, 100_000), 60, native=int),
    Setting("audit.retention_days", values.whole_number(1, 36_500), native=int),
    Setting("audit.warn_rows", values.whole_number(0, 999_999_999), 50_000_000, native=int),
    Setting("sso.client_id", values.text),
    Setting("sso.client_secret", str, secret=True),
    Setting("sso.scopes", values.scope, ("openid", "profile"), is_list=True),
    Setting("sso.group_claim", values.text, "groups"),
    Setting("sso.groups", values.group_mapping, (), is_list=True),
    Setting("sso.local_login", values.boolean, True, native=bool),
    Setting(
        "database.url",
        values.database_url,
        values.database_url("sqlite:///var/registry-token.sqlite3"),
        secret=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Configuration:
    """All values by key, where each came from, and what is wrong, as sentences.

    The values of keys in `invalid` are defaults in the place of what could not be read.
    """

    path: Path
    values: Mapping[str, Any] = field(repr=False)  # secrets are among them
    sources: Mapping[str, str]
    errors: tuple[str, ...]
    invalid: frozenset[str] = frozenset()


def load(environment: Mapping[str, str], default_path: Path) -> Configuration:
    """Read the configuration from `environment` and the file it names, else `default_path`.

    Never raises: what is wrong is in `errors`, and the values concerned are the defaults.
    """
    named = environment.get(CONFIG_VARIABLE)
    path = Path(named or default_path)
    document, errors = read_mapping(path) if named or path.exists() else ({}, [])
    texts: dict[str, tuple[str, Any]] = {}
    for key, value in _flatten(document):
        if key in _BY_KEY:
            texts[key] = (str(path), value)
        else:
            errors.append(f"{key} in {path}: unknown key; known are {_names(_BY_KEY)}")
    errors += _add_environment(texts, environment)
    result: dict[str, Any] = {}
    invalid = set()
    for setting in SETTINGS:
        try:
            result[setting.key] = _value(setting, texts)
        except ValueError as error:
            result[setting.key] = _fallback(setting)
            invalid.add(setting.key)
            errors.append(f"{setting.variable} ({setting.key}): {error}")
    errors += _missing_keys(texts, result) + _undiscoverable(result)
    sources = {key: source for key, (source, _) in texts.items()}
    return Configuration(path, result, sources, tuple(errors), frozenset(invalid))


def require_valid(configuration: Configuration) -> None:
    """Raise ImproperlyConfigured with everything that is wrong, if anything is."""
    if configuration.errors:
        raise ImproperlyConfigured(
            "the configuration has errors:\n" + "\n".join(f"- {e}" for e in configuration.errors)
        )


_BY_KEY = {setting.key: setting for setting in SETTINGS}
_SECTIONS = {setting.key.partition(".")[0] for setting in SETTINGS if "." in setting.key}
_BY_VARIABLE = {setting.variable: setting for setting in SETTINGS}


def _missing_keys(texts: Mapping[str, tuple[str, Any]], result: Mapping[str, Any]) -> list[str]:
    """What only a development set-up may go without."""
    if result["debug"]:
        return []
    missing = []
    if not texts.get("secret_key", ("", ""))[1]:
        missing.append(
            "REGISTRY_TOKEN_SECRET_KEY (secret_key): is required; python3 -c"
            " 'import secrets; print(secrets.token_urlsafe(50))' prints one to set it to"
        )
    if not texts.get("signing.key", ("", ""))[1]:
        missing.append(
            "REGISTRY_TOKEN_SIGNING_KEY (signing.key): is required; `manage.py generate_signing_key"
            " --out PATH` makes a key, then set it to that path"
        )
    return missing


def _undiscoverable(result: Mapping[str, Any]) -> list[str]:
    """An issuer whose keys would have to be discovered over plain http."""
    if result["authority.jwks"] or not result["authority.issuer"]:
        return []
    try:
        values.fetchable_url(result["authority.issuer"])
    except ValueError as error:
        return [
            f"REGISTRY_TOKEN_AUTHORITY_ISSUER (authority.issuer): {error}; its keys cannot be"
            " discovered: set REGISTRY_TOKEN_AUTHORITY_JWKS to a file or an https URL"
        ]
    return []


def _flatten(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for section, content in document.items():
        if isinstance(content, Mapping) and (content or section in _SECTIONS):
            yield from ((f"{section}.{key}", value) for key, value in content.items())
        elif "." in section:
            yield f"{section} (write it as a mapping)", content
        elif content is not None or section not in _SECTIONS:
            yield section, content  # a section without content has all its keys commented out


def _add_environment(
    texts: dict[str, tuple[str, Any]], environment: Mapping[str, str]
) -> list[str]:
    """Lay the variables over what the file says; the errors that their names show."""
    errors = []
    for variable, text in environment.items():
        if not variable.startswith(PREFIX) or variable == CONFIG_VARIABLE:
            continue
        if (setting := _BY_VARIABLE.get(variable)) is not None:
            texts[setting.key] = (variable, text)
        elif (setting := _secret_of_file(variable)) is None:
            errors.append(f"{variable}: unknown variable; known are {_names(_BY_VARIABLE)}")
        elif environment.get(setting.variable):
            errors.append(f"{variable}: {setting.variable} is set too; set one of them")
        else:
            try:
                texts[setting.key] = (variable, Path(text).read_text().strip())
            except (OSError, UnicodeDecodeError) as error:
                errors.append(f"{variable}: {text} cannot be read ({type(error).__name__})")
    return errors


def _secret_of_file(variable: str) -> Setting | None:
    setting = _BY_VARIABLE.get(variable.removesuffix("_FILE"))
    return setting if setting is not None and setting.secret else None


def _value(setting: Setting, texts: Mapping[str, tuple[str, Any]]) -> Any:
    _, given = texts.get(setting.key, ("default", None))
    if setting.is_list and given is not None:
        given = _items(setting, given)
    if given is None or given == "" or given == []:
        if setting.required:
            raise ValueError(f"is required; {setting.fix}")
        return setting.default
    if not setting.is_list:
        if isinstance(given, (list, dict)):
            raise ValueError("must be a single value, not a list or mapping")
        return setting.read(_text(setting, given))
    return _read_all(setting, given)


def _read_all(setting: Setting, items: list[str]) -> tuple[Any, ...]:
    """The values of a list without duplicates, or what is wrong with each item."""
    read: dict[Any, None] = {}
    problems = []
    for item in items:
        try:
            read[setting.read(item)] = None
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise ValueError("; ".join(problems))
    return tuple(read)


def _items(setting: Setting, given: Any) -> list[str]:
    """The items of a list, without blanks around them and without empty ones."""
    items = given
    if not isinstance(given, list):
        items = environ.Env.parse_value(_text(setting, given), list)
    stripped = [_text(setting, item).strip() for item in items]
    return [item for item in stripped if item]


def _text(setting: Setting, value: Any) -> str:
    """A scalar as it would be spelled in a variable; YAML's true is the text true."""
    if isinstance(value, str) or type(value) is setting.native:
        return str(value)
    shown = "the value" if setting.secret else repr(value)
    raise ValueError(f"{shown} must be text; put it in quotes")


def _fallback(setting: Setting) -> Any:
    """The default, or a value of the right type that allows nothing."""
    if setting.default is not None:
        return setting.default
    return () if setting.is_list else ""


def _names(known: Mapping[str, Setting]) -> str:
    return ", ".join(sorted(known))
