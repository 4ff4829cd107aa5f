"""The system check of single sign-on."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from registry_token.config_values import fetchable_url


@register()
def check_single_sign_on(**_: Any) -> list[CheckMessage]:
    """E009: nobody could log in, or the Authority would be asked over plain http."""
    return [Error(text, hint=hint, id="registry_token.E009") for text, hint in _problems()]


def _problems() -> list[tuple[str, str]]:
    if not settings.SSO_CLIENT_ID:
        if settings.SSO_LOCAL_LOGIN:
            return []
        hint = "Set sso.client_id, or sso.local_login to true."
        return [("sso.local_login is off and there is no single sign-on", hint)]
    problems = []
    if not settings.SSO_GROUPS:
        hint = "Set it to pairs of groups, theirs and ours: registry-admins=administrator."
        problems.append(("sso.groups is empty: single sign-on lets nobody in", hint))
    try:
        fetchable_url(settings.AUTHORITY_ISSUER)
    except ValueError as error:
        hint = "Single sign-on finds the Authority's endpoints below its issuer."
        problems.append((f"authority.issuer: {error}", hint))
    return problems
