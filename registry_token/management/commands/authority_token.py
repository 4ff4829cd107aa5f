"""`manage.py authority_token`: a caller token signed with the development Authority key."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry_token.authority import LICENCE_CLAIM, PLAN_CLAIM
from registry_token.key_ids import thumbprint


class Command(BaseCommand):
    """For development only: it plays the Authority."""

    help = "Print a caller token made with the development Authority key."

    def add_arguments(self, parser: CommandParser) -> None:
        """--plan, --licence, --scope, --subject, --expires."""
        parser.add_argument("--plan", help="the claim stellaops:plan; left out by default")
        parser.add_argument("--licence", help="the claim stellaops:license; left out by default")
        parser.add_argument(
            "--scope", action="append", help="OAuth scopes; default: all that are required"
        )
        parser.add_argument("--subject", default="developer", help="the claim sub")
        parser.add_argument(
            "--expires", type=int, default=3600, metavar="SECONDS", help="from now; may be negative"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Sign and print."""
        key = _development_key()
        now = int(time.time())
        scopes = (
            options["scope"] if options["scope"] is not None else settings.AUTHORITY_REQUIRED_SCOPES
        )
        claims = {
            "iss": settings.AUTHORITY_ISSUER,
            "aud": settings.AUTHORITY_AUDIENCES[0],
            "sub": options["subject"],
            "client_id": "development",
            "iat": min(now, now + options["expires"]),
            "exp": now + options["expires"],
            "jti": secrets.token_hex(8),
            "scope": " ".join(scopes),
        }
        for claim, value in ((PLAN_CLAIM, options["plan"]), (LICENCE_CLAIM, options["licence"])):
            if value is not None:
                claims[claim] = value
        headers = {"typ": "at+jwt", "kid": thumbprint(key.public_key())}
        self.stdout.write(jwt.encode(claims, key, algorithm="RS256", headers=headers))


def _development_key() -> RSAPrivateKey:
    path = settings.AUTHORITY_DEVELOPMENT_KEY
    if path is None:
        raise CommandError(
            "there is no development Authority key: authority.development_key is not configured."
            " `make run` sets one up; in production, tokens come from the Authority."
        )
    try:
        key = serialization.load_pem_private_key(Path(path).read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        raise CommandError(f"{path} cannot be read as a private key in PEM form") from None
    if not isinstance(key, RSAPrivateKey):
        raise CommandError(f"{path} must be an RSA key")
    return key
