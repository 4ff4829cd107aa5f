"""Exports of the issuance log: how many run at once, what is recorded of each, and its manifest.

Each has two rows in the activity log: one before the first byte, one when it has ended, with the
signed manifest or with how far it came. An export with one row was killed with its process.
"""

from __future__ import annotations

import json
import math
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.http import HttpRequest

from issuances.encoding import time_text
from issuances.exporting.exports import Format, Tally, pieces, until_now
from issuances.finding.filtered import Filtered
from issuances.identifiers import FIRST_ID, time_of, uuid7
from issuances.sealing.manifests import document_of
from issuances.statements import MANIFEST
from people.activity import record_activity
from people.models import Action
from registry_token.errors import Unavailable
from registry_token.signing import signing_key

OBJECT = "issuances"  # with the export's id, the object of its rows in the activity log
MAX_RUNNING = 2  # in each process: they take its time from /token
MAX_SECONDS = 3600.0  # for so long a permission that was taken away is still used
_RETRY_AFTER = 20.0  # seconds

_lock = threading.Lock()
_running: weakref.WeakSet[Export] = weakref.WeakSet()


class ExportTookTooLong(Exception):
    """The stream ends without its end; it can be resumed after its last row."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be exported: the rows, by the parameters of the filter that led to them."""

    filtered: Filtered
    parameters: Mapping[str, str]
    format: Format
    after: UUID | None = None

    def __str__(self) -> str:
        after = {"after": str(self.after)} if self.after else {}
        pairs = (f"{name}={value}" for name, value in ({**self.parameters, **after}).items())
        return " ".join((self.format.name, *pairs))


class Export:
    """One export, begun: an iterable of bytes, with `id` and, once it has ended, `manifest`.

    `close` before its end breaks it off.
    """

    def __init__(
        self,
        wanted: Wanted,
        *,
        actor: str,
        request: HttpRequest | None = None,
        is_limited: bool = True,
    ) -> None:
        """`is_limited`: in time, to `MAX_SECONDS`.

        Raises Unavailable while too many run, SigningKeyError, django.db.Error.
        """
        self._seconds = MAX_SECONDS if is_limited else math.inf
        self._begun = datetime.now(UTC)
        self.id = uuid7(self._begun)
        self._wanted = wanted
        self._filtered = until_now(wanted.filtered, self._begun)
        self._actor, self._request = actor, request
        self._tally = Tally()
        self._pieces: Iterator[bytes] | None = None
        self.manifest: dict[str, Any] | None = None
        signing_key()  # without one there would be no manifest
        with _lock:
            if len(_running) >= MAX_RUNNING:
                raise Unavailable(
                    f"{MAX_RUNNING} exports are running in this process; try again when one has"
                    " ended",
                    reason="too_many_exports",
                    retry_after=_RETRY_AFTER,
                )
            _running.add(self)
        try:
            self._record(f"begun: {wanted}")
        except BaseException:
            self._leave()
            raise

    @property
    def rows(self) -> int:
        """How many have been given so far."""
        return self._tally.rows

    def __iter__(self) -> Iterator[bytes]:
        """The bytes. Raises django.db.Error, SigningKeyError, ExportTookTooLong."""
        self._pieces = self._recorded_pieces()
        return self._pieces

    def close(self) -> None:
        """Break it off, unless it has ended."""
        if self._pieces is not None:
            self._pieces.close()  # type: ignore[attr-defined]
        if self in _running:
            self._end("broken off")

    def _recorded_pieces(self) -> Iterator[bytes]:
        latest = time.monotonic() + self._seconds
        try:
            after = self._wanted.after
            for piece in pieces(self._filtered, self._wanted.format, self._tally, after=after):
                yield piece
                if time.monotonic() > latest:
                    raise ExportTookTooLong
            self.manifest = self._signed_manifest()
        except GeneratorExit:
            self._end("broken off")
            self._close_connection()
            raise
        except BaseException as error:
            self._end(f"failed ({type(error).__name__})")
            raise
        self._end("complete", json.dumps(self.manifest))

    def _signed_manifest(self) -> dict[str, Any]:
        tally, wanted = self._tally, self._wanted
        said = {
            "export": str(self.id),
            "issuer": settings.SIGNING_ISSUER,
            "created_at": time_text(self._begun),
            "by": self._actor,
            "format": wanted.format.name,
            "filter": dict(wanted.parameters),
            "after": _text(wanted.after),
            "from": _beginning(self._filtered.low),
            "until": time_text(time_of(self._filtered.high)),
            "rows": tally.rows,
            "bytes": tally.size,
            "sha256": tally.sha256.hexdigest(),
            "first_id": _text(tally.first_id),
            "last_id": _text(tally.last_id),
        }
        return document_of(said, signing_key().sign_statement(said, typ=MANIFEST))

    def _end(self, how: str, document: str = "") -> None:
        self._leave()
        rows = f"{self._tally.rows} rows, last {self._tally.last_id}"
        self._record(f"{how}: {rows}; {self._wanted}", document)

    def _leave(self) -> None:
        with _lock:
            _running.discard(self)

    def _record(self, detail: str, document: str = "") -> None:
        record_activity(
            self._request,
            Action.EXPORTED,
            f"{OBJECT} {self.id}",
            detail,
            actor=self._actor,
            document=document,
        )

    def _close_connection(self) -> None:
        """Who breaks it off may be a thread that ends now, and its connection with it."""
        if not connection.in_atomic_block:
            connection.close()


def _beginning(low: UUID) -> str | None:
    return None if low == FIRST_ID else time_text(time_of(low))


def _text(row_id: UUID | None) -> str | None:
    return None if row_id is None else str(row_id)
