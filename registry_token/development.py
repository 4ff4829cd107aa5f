"""The files of a development set-up: keys, the Authority's JWKS, a configuration that names them.

`python -m registry_token.development [PORT]` makes what is missing under var/development and
changes nothing that is there. It needs no settings, for it writes what they are read from.
"""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from registry_token import key_files
from registry_token.config_values import BASE_DIR
from registry_token.key_ids import public_jwk, thumbprint

FOLDER = BASE_DIR / "var" / "development"

HEAD = "# Made by `make run` for development. etc/registry-token.yaml documents every key.\n"


def main() -> None:
    """Make the files that are missing."""
    signing_key = _key(FOLDER / "signing.key", of_it=FOLDER / "signing.crt")
    _make(FOLDER / "signing.crt", key_files.self_signed_certificate_pem(signing_key, "development"))
    authority_key = _key(FOLDER / "authority.key", of_it=FOLDER / "authority.jwks.json")
    _make(FOLDER / "authority.jwks.json", _jwks(authority_key))
    port = sys.argv[1] if len(sys.argv) > 1 else "8000"
    text = HEAD + yaml.safe_dump(_configuration(port), sort_keys=False)
    _make(FOLDER / "registry-token.yaml", text.encode())


def _configuration(port: str) -> dict[str, Any]:
    return {
        "secret_key": secrets.token_urlsafe(50),
        "authority": {
            "issuer": "https://authority.example.com",
            "audiences": ["registry-token"],
            "jwks": str(FOLDER / "authority.jwks.json"),
            "development_key": str(FOLDER / "authority.key"),
        },
        "signing": {
            "key": str(FOLDER / "signing.key"),
            "certificate": str(FOLDER / "signing.crt"),
            "issuer": "registry-token-development",
        },
        "registry": {
            "services": ["registry.example.com", "mirror.example.com"],
            "realm": f"http://localhost:{port}/token",
        },
        "database": {"url": f"sqlite:///{quote(str(FOLDER / 'registry-token.sqlite3'))}"},
    }


def _key(path: Path, *, of_it: Path) -> RSAPrivateKey:
    """The key of a file; when it has to be made, what was made `of_it` before is of no use."""
    if not path.exists():
        of_it.unlink(missing_ok=True)
        _make(path, key_files.private_key_pem(key_files.new_private_key()))
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    return cast(RSAPrivateKey, key)


def _jwks(key: RSAPrivateKey) -> bytes:
    public_key = key.public_key()
    return json.dumps({"keys": [public_jwk(public_key, thumbprint(public_key))]}, indent=2).encode()


def _make(path: Path, content: bytes) -> None:
    if not path.exists():
        key_files.write_new_file(path, content)
        print(f"made {path}")


if __name__ == "__main__":
    main()
