"""A service with some megabytes in its issuance log, for tests of exports over the wire."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from tests.service import Service

ROWS = 20_000
EXPORT = "/api/v1/issuances/export"
_FILL = f"""
from tests.log_rows import row, saved
from issuances.models import Issuance
saved(*(row(n / 100, subject=f"user-{{n % 100}}", user_agent="x" * 200) for n in range({ROWS})))
"""


class ExportedService(Service):
    """Filled before it is started."""

    def start(self) -> None:
        """With the rows."""
        self.manage("shell", "--verbosity", "0", "-c", _FILL)
        super().start()

    @property
    def auditor(self) -> str:
        """The value of the header by which an auditor authenticates."""
        return f"Bearer {self.authority.token(scope='registry.audit.read', sub='auditor')}"

    def curl(self, path: str, *more: str) -> list[str]:
        """The command line that asks for a path as an auditor."""
        header = f"Authorization: {self.auditor}"
        return ["curl", "--silent", "--show-error", *more, "-H", header, f"{self.url}{path}"]

    def export(self, size: int) -> socket.socket:
        """A connection on which an export has been asked for; `size` of its buffer in bytes."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
        sock.settimeout(20)
        sock.connect(("127.0.0.1", self.port))
        head = f"GET {EXPORT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {self.auditor}\r\n\r\n"
        sock.sendall(head.encode())
        return sock

    def ends(self) -> list[str]:
        """How the exports ended that have."""
        listed = (
            "from people.models import Activity; import json; print(json.dumps(list("
            "Activity.objects.filter(action='exported').order_by('id')"
            ".values_list('detail', flat=True))))"
        )
        done = self.manage("shell", "--verbosity", "0", "-c", listed)
        details: list[str] = json.loads(done.stdout)
        return [detail.partition(":")[0] for detail in details if not detail.startswith("begun")]


def last_id(path: Path) -> Any:
    """Of the last whole line of a file, after which the file is cut off."""
    data = path.read_bytes()
    whole = data[: data.rindex(b"\n") + 1]
    path.write_bytes(whole)
    return json.loads(whole.splitlines()[-1])["id"]
