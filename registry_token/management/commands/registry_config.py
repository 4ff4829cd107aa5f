"""`manage.py registry_config`: what a registry needs to trust this service's tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry_token import key_files
from registry_token.config_values import BASE_DIR
from registry_token.signing import SigningKey, SigningKeyError, signing_key


class Command(BaseCommand):
    """Standard output is the `auth` section alone, ready to be put into the registry's file."""

    help = "Print the registry's auth.token stanza and write the key file that it names."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Django has a --version of its own; here it is the registry's."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """--version, --service, --out."""
        parser.add_argument(
            "--version", choices=("2", "3"), default="3", help="the registry's major version"
        )
        parser.add_argument("--service", help="one of registry.services")
        parser.add_argument(
            "--out",
            type=Path,
            default=BASE_DIR / "var" / "registry",
            help="folder for the bundle or JWKS file (default: var/registry)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file, print the stanza."""
        service = _service(options["service"])
        if settings.REGISTRY_REALM is None:
            raise CommandError(
                "registry.realm is not set; set REGISTRY_TOKEN_REGISTRY_REALM to the public URL of"
                " /token, e.g. https://tokens.example.com/token"
            )
        try:
            key = signing_key()
        except SigningKeyError as error:
            raise CommandError(str(error)) from None
        name, path, content = _trust(key, options["version"], options["out"])
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}") from None
        token = {
            "realm": settings.REGISTRY_REALM,
            "service": service,
            "issuer": settings.SIGNING_ISSUER,
            name: str(path.resolve()),
        }
        self.stdout.write(yaml.safe_dump({"auth": {"token": token}}, sort_keys=False), ending="")
        self.stderr.write(f"wrote {path}; copy it to the registry and restart the registry")


def _service(wanted: str | None) -> str:
    services = settings.REGISTRY_SERVICES
    if wanted is None and len(services) == 1:
        return str(services[0])
    if wanted not in services:
        raise CommandError(f"--service must be one of {', '.join(services)}")
    return wanted


def _trust(key: SigningKey, version: str, folder: Path) -> tuple[str, Path, bytes]:
    """The stanza's key for the trusted keys, and the file it names with its content.

    With `x5c` in the tokens both versions look at the bundle only; without, 2.x computes libtrust
    ids from the bundle's certificates and 3.x looks the id up in a JWKS file.
    """
    bundle = folder / "token-signing.pem"
    if settings.SIGNING_CERTIFICATE is not None:
        return "rootcertbundle", bundle, Path(settings.SIGNING_CERTIFICATE).read_bytes()
    if version == "3":
        jwks = json.dumps({"keys": [key.jwk()]}, indent=2).encode() + b"\n"
        return "jwks", folder / "token-signing.jwks.json", jwks
    if settings.SIGNING_KID != "libtrust":
        raise CommandError(
            "a registry 2.x cannot find the key of these tokens: set REGISTRY_TOKEN_SIGNING_KID to"
            " libtrust, or REGISTRY_TOKEN_SIGNING_CERTIFICATE to a certificate of the key"
        )
    pem = key_files.self_signed_certificate_pem(key.private_key, "registry-token")
    return "rootcertbundle", bundle, pem
