"""Reading a configuration in tests: a file's text and variables, with what is required given."""

from __future__ import annotations

from pathlib import Path

from registry_token import config

REQUIRED = {
    "REGISTRY_TOKEN_SECRET_KEY": "a secret key",
    "REGISTRY_TOKEN_AUTHORITY_ISSUER": "https://authority.example.com",
    "REGISTRY_TOKEN_AUTHORITY_AUDIENCES": "registry-token",
    "REGISTRY_TOKEN_SIGNING_KEY": "signing.key",
    "REGISTRY_TOKEN_SIGNING_ISSUER": "registry-token-tests",
    "REGISTRY_TOKEN_REGISTRY_SERVICES": "registry.example.com",
}


def variable(key: str) -> str:
    """authority.issuer as a variable, without the prefix."""
    return key.upper().replace(".", "_")


def read(folder: Path, text: str = "", /, **variables: str | None) -> config.Configuration:
    """The configuration of a file with `text`; `variables` without prefix, None for unset."""
    path = folder / "registry-token.yaml"
    path.write_text(text, encoding="utf-8")
    given = {f"REGISTRY_TOKEN_{name}": value for name, value in variables.items()}
    environment = {k: v for k, v in (REQUIRED | given).items() if v is not None}
    return config.load(environment, path)


def in_file(key: str, yaml: str) -> str:
    """A file's text that sets one key to what is written as YAML."""
    section, dot, name = key.partition(".")
    return f"{section}:\n  {name}: {yaml}\n" if dot else f"{key}: {yaml}\n"
