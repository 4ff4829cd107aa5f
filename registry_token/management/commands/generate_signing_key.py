"""`manage.py generate_signing_key`: a new RSA key for registry tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from registry_token import key_files
from registry_token.key_ids import libtrust_id, thumbprint
from registry_token.signing import MINIMUM_BITS


class Command(BaseCommand):
    """Needs no configuration: a new set-up has no key yet."""

    help = "Make a new RSA signing key (mode 0600), and a self-signed certificate if wanted."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """--out, --bits, --certificate."""
        parser.add_argument("--out", type=Path, required=True, help="the key's new file")
        parser.add_argument("--bits", type=int, default=2048, help="2048 (default) to 8192")
        parser.add_argument(
            "--certificate",
            nargs="?",
            type=Path,
            const=Path(),
            metavar="PATH",
            help="write a self-signed certificate too, valid a year; default path: OUT with .crt",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the key, write the files, say their ids."""
        out, bits, certificate = options["out"], options["bits"], options["certificate"]
        if not MINIMUM_BITS <= bits <= 8192:
            raise CommandError(f"--bits {bits}: must be from {MINIMUM_BITS} to 8192")
        if certificate == Path():
            certificate = out.with_suffix(".crt")
        if certificate == out:
            raise CommandError(f"{out} cannot hold both the key and the certificate")
        for path in filter(None, (out, certificate)):
            if path.exists() or path.is_symlink():
                raise CommandError(f"{path} exists; it is not overwritten. Choose another path.")
        key = key_files.new_private_key(bits)
        self._write(out, key_files.private_key_pem(key), 0o600)
        self.stdout.write(f"kid, RFC 7638 thumbprint: {thumbprint(key.public_key())}")
        self.stdout.write(f"kid, libtrust: {libtrust_id(key.public_key())}")
        if certificate is not None:
            pem = key_files.self_signed_certificate_pem(key, "registry-token")
            self._write(certificate, pem, 0o644)

    def _write(self, path: Path, content: bytes, mode: int) -> None:
        try:
            key_files.write_new_file(path, content, mode)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}") from None
        self.stdout.write(f"wrote {path} (mode {mode:04o})")
