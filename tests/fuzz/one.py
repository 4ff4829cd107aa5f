"""Fuzz one target by atheris: `python -m tests.fuzz.one TARGET`, then libFuzzer's arguments.

A file among them is run once instead: so a crash is seen again.
"""

from __future__ import annotations

import os
import sys
import time
from io import StringIO
from ipaddress import ip_network
from pathlib import Path

import atheris  # type: ignore[import-untyped, unused-ignore]

with atheris.instrument_imports(include=["registry_token", "plans", "licences", "jwt"]):
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from django.conf import settings
    from django.core.management import call_command

    from registry_token.wsgi import application  # isort: skip  (sets up Django)
    import registry_token.urls  # noqa: F401  (loads the views)
    from tests.authority import Authority
    from tests.fuzz.targets import TARGETS
    from tests.fuzz.world import CATALOGUE, PROXY, World, check_logs

MOST_CPU = 1  # seconds for one input


class TooSlow(Exception):
    """An input took longer than any may."""


def new_world() -> World:
    """A world of its own: keys and a database in a folder that goes when the process ends."""
    call_command("migrate", verbosity=0)
    call_command("load_catalogue", CATALOGUE, verbosity=0, stdout=StringIO())
    settings.THROTTLE_FAILURES = 0
    settings.TRUSTED_PROXIES = (ip_network(PROXY),)
    authority = Authority()
    authority.publish(Path(str(settings.AUTHORITY_JWKS)))
    check_logs()
    return World(authority, application)


def main(name: str, *arguments: str) -> None:
    """Fuzz until libFuzzer ends the process."""
    target, world = TARGETS[name], new_world()

    def run(data: bytes) -> None:
        # Of the processor's time: a busy machine is no slow input. For hangs there is -timeout.
        started = time.process_time()
        target(world, data)
        if (took := time.process_time() - started) > MOST_CPU:
            raise TooSlow(f"{took:.1f} s")

    atheris.Setup([name, *arguments], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
