"""A log with sealed rows, and the ways in which somebody with the database may harm it."""

from __future__ import annotations

from typing import Any

from issuances.models import Issuance, SealedBatch
from issuances.sealing.findings import Report
from issuances.sealing.sealed import verify_log
from issuances.sealing.seals import Seal
from registry_token.service_seals import own_keys, seal_rows
from tests.log_rows import row, saved

SIZE = 10  # rows in a batch


def filled(number: int = 35) -> list[Issuance]:
    """So many rows, a second apart; each third is a refusal."""
    return saved(*(_one(second) for second in range(number)))


def _one(second: int) -> Issuance:
    refusal = "nothing_granted" if second % 3 == 2 else ""
    return row(second, refusal=refusal, subject=f"subject-{second}", tenant="t", caller_jti="c")


def seal(**options: Any) -> list[Seal]:
    """Seal what there is."""
    return list(seal_rows(size=SIZE, **options))


def sealed_log(number: int = 35) -> list[Issuance]:
    """Rows in four batches, the last of them short."""
    rows = filled(number)
    seal()
    return rows


def verified(**options: Any) -> Report:
    """With the service's own key."""
    return verify_log(own_keys(), **options)


def change(row: Issuance, **fields: Any) -> None:
    """As somebody with access to the database would."""
    assert Issuance.objects.filter(id=row.id).update(**fields) == 1


def change_batch(number: int, **fields: Any) -> None:
    assert SealedBatch.objects.filter(number=number).update(**fields) == 1


def insert_batch(**fields: Any) -> None:
    SealedBatch(**fields).save(force_insert=True)
