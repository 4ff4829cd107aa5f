#!/usr/bin/env python3
"""Django's command line. `manage.py help` lists the commands."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Run one command, on the development set-up that `make run` has made unless told otherwise."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry_token.settings")
    development = Path(__file__).resolve().parent / "var" / "development" / "registry-token.yaml"
    if development.exists():
        os.environ.setdefault("REGISTRY_TOKEN_CONFIG", str(development))
    from django.core.management import execute_from_command_line
    from django.db import Error as DatabaseError

    try:
        execute_from_command_line(sys.argv)
    except DatabaseError as error:
        sys.exit(f"The database: {error}\nIs it there, and has `manage.py migrate` been run on it?")


if __name__ == "__main__":
    main()
