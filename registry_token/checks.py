"""System checks: what is wrong with a set-up, said before it serves. One function each."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from registry_token.authority_keys import FileKeys, key_source
from registry_token.config_values import is_loopback_url
from registry_token.key_ids import thumbprint
from registry_token.signing import SigningKey, SigningKeyError, signing_key

EXPIRY_WARNING = timedelta(days=30)
RECENT_DAYS = 30


@register()
def check_configuration(**_: Any) -> list[CheckMessage]:
    """E001: the configuration does not parse, or misses something."""
    return [Error(error, id="registry_token.E001") for error in settings.CONFIGURATION.errors]


@register()
def check_signing_key(**_: Any) -> list[CheckMessage]:
    """E002: the signing key or its certificate cannot be used."""
    if settings.SIGNING_KEY is None:  # E001, or a development set-up
        return []
    try:
        signing_key()
    except SigningKeyError as error:
        return [Error(str(error), id="registry_token.E002")]
    return []


@register()
def check_signing_key_mode(**_: Any) -> list[CheckMessage]:
    """W003: others can read the signing key."""
    path = settings.SIGNING_KEY
    if path is None:
        return []
    try:
        mode = Path(path).stat().st_mode
    except OSError:
        return []
    if not mode & (stat.S_IRWXG | stat.S_IRWXO):
        return []
    return [
        Warning(
            f"the signing key {path} can be read by others than its owner"
            f" (mode {stat.S_IMODE(mode):04o})",
            hint=f"chmod 600 {path}",
            id="registry_token.W003",
        )
    ]


@register()
def check_certificate_expiry(**_: Any) -> list[CheckMessage]:
    """W004: registries will soon refuse the tokens, for their certificate expires."""
    key = _usable_key()
    if key is None or key.expires_at is None or key.expires_at > datetime.now(UTC) + EXPIRY_WARNING:
        return []
    return [
        Warning(
            f"the signing certificate {settings.SIGNING_CERTIFICATE} expires on"
            f" {key.expires_at:%Y-%m-%d}",
            hint="Renew it, add the new one to the registries' bundles, then configure it here.",
            id="registry_token.W004",
        )
    ]


@register()
def check_authority_key_file(**_: Any) -> list[CheckMessage]:
    """W005: the Authority's key file cannot be used, and every caller will be answered 503."""
    if "authority.jwks" in settings.CONFIGURATION.invalid:  # E001
        return []
    source = key_source()
    if not isinstance(source, FileKeys):
        return []
    error = source.status().error
    hint = "The service starts without keys and reads the file as soon as it is good."
    return [Warning(error, hint=hint, id="registry_token.W005")] if error else []


@register()
def check_separate_issuers(**_: Any) -> list[CheckMessage]:
    """E006, W006: the service's own tokens must never look like the Authority's."""
    problems: list[CheckMessage] = []
    if settings.AUTHORITY_ISSUER and settings.AUTHORITY_ISSUER == settings.SIGNING_ISSUER:
        problems.append(
            Warning(
                "signing.issuer and authority.issuer are equal",
                hint="Give registry tokens an issuer of their own.",
                id="registry_token.W006",
            )
        )
    if _signs_as_authority():
        problems.append(
            Error(
                "the signing key is also one of the Authority's keys",
                hint="Registry tokens must not verify as access tokens: make a key of its own.",
                id="registry_token.E006",
            )
        )
    return problems


def _signs_as_authority() -> bool:
    if "authority.jwks" in settings.CONFIGURATION.invalid:  # E001
        return False
    key, source = _usable_key(), key_source()
    if key is None or not isinstance(source, FileKeys):
        return False
    return source.holds(thumbprint(key.private_key.public_key()))


@register(Tags.security, deploy=True)
def check_development_key(**_: Any) -> list[CheckMessage]:
    """W007: anybody who can read the development key can issue access tokens."""
    if settings.AUTHORITY_DEVELOPMENT_KEY is None:
        return []
    return [
        Warning(
            "authority.development_key is configured",
            hint="It is for development only: whoever reads it can be any caller.",
            id="registry_token.W007",
        )
    ]


@register(Tags.security, deploy=True)
def check_realm(**_: Any) -> Sequence[CheckMessage]:
    """W008: credentials would travel in the clear, or challenges name no address."""
    realm = settings.REGISTRY_REALM
    if realm is None:
        hint = "Set it to the public URL of /token, e.g. https://tokens.example.com/token."
        return [Warning("registry.realm is not set", hint=hint, id="registry_token.W008")]
    if realm.startswith("https://") or is_loopback_url(realm):
        return []
    hint = "Clients send access tokens to it: put the service behind TLS."
    return [Warning(f"registry.realm {realm} is not https", hint=hint, id="registry_token.W008")]


@register()
def check_retention(**_: Any) -> list[CheckMessage]:
    """W010: rows go before those pages have looked at them that ask who lost access by a change."""
    days = settings.AUDIT_RETENTION_DAYS
    if days is None or days > RECENT_DAYS:
        return []
    return [
        Warning(
            f"audit.retention_days is {days}: the admin warns of changes by the callers of the last"
            f" {RECENT_DAYS} days",
            hint=f"Keep rows for more than {RECENT_DAYS} days, or expect fewer warnings.",
            id="registry_token.W010",
        )
    ]


def _usable_key() -> SigningKey | None:
    try:
        return signing_key()
    except SigningKeyError:
        return None
