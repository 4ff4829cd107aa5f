"""Sealing the log with the service's key: what commands, pages and retention share."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from issuances.new_files import new_file
from issuances.sealing import making, unsealed
from issuances.sealing.sealed import seal_lines
from issuances.sealing.seals import Seal
from issuances.statements import SEAL, PublicKey
from registry_token.signing import SigningKey, signing_key

OVERDUE_AFTER = timedelta(days=1)

logger = logging.getLogger(__name__)


class NotSealed(ValueError):
    """Rows were to go that no seal covers yet; the message says how many, and the fix."""


def seal_rows(**options: Any) -> Iterator[Seal]:
    """Seal what is not sealed yet; options as of `issuances.sealing.making.seal_rows`.

    Raises SealedMeanwhile, SigningKeyError, django.db.Error.
    """
    for seal in making.seal_rows(_signer(signing_key()), datetime.now(UTC), **options):
        logger.info("sealed %d rows in batch %d", seal.rows, seal.number)
        yield seal
    # Where logs are kept elsewhere, the head there shows whether seals were cut off here.
    logger.info("the newest seal is %s", making.newest_head())


def require_sealed(before: UUID) -> None:
    """See that no row with a smaller id lacks a seal, once sealing is in use.

    Raises NotSealed, django.db.Error.
    """
    if unsealed.is_in_use() and (rows := unsealed.unsealed_before(before)):
        raise NotSealed(
            f"{rows:,} of the rows are not sealed yet; run manage.py seal_issuances --all, and"
            " prune afterwards"
        )


def require_whole(before: UUID) -> None:
    """See that no sealed row with a smaller id is missing: that it was pruned, too, would cover up
    that somebody removed it. Raises NotSealed, django.db.Error.
    """
    for missing in unsealed.missing_before(before):
        raise NotSealed(
            f"row {missing}, which is sealed, is missing, so somebody removed it; ask manage.py"
            " verify_issuances. --despite-missing prunes all the same, and the activity log says so"
        )


def record_pruned(before: UUID, rows: int) -> None:
    """Seal that sealed rows with smaller ids are about to go; nothing while sealing is not in use.

    Call it before they go. Raises NotSealed, SealedMeanwhile, SigningKeyError, django.db.Error.
    """
    require_sealed(before)
    if not unsealed.is_in_use():
        return
    sign = _signer(signing_key())
    making.seal_pruning(sign, datetime.now(UTC), before=before, rows=rows)


def write_seals(path: Path, first: UUID, last: UUID) -> int:
    """A new file of the seals of rows with ids from `first` to `last`; how many there are.

    Raises FileExistsError, OSError, django.db.Error.
    """
    seals = 0
    with new_file(path) as file:
        for line in seal_lines(first, last):
            file.write(line)
            seals += 1
    return seals


def own_keys() -> list[PublicKey]:
    """The public half of the key that is in use. Raises SigningKeyError."""
    return [PublicKey(None, signing_key().private_key.public_key())]


def is_overdue(now: datetime) -> bool:
    """Whether somebody has to see to the timer of seal_issuances. Raises django.db.Error."""
    return unsealed.is_overdue(now, OVERDUE_AFTER)


def _signer(key: SigningKey) -> making.Sign:
    return functools.partial(key.sign_statement, typ=SEAL)
