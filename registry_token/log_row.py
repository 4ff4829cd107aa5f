"""A row of the issuance log, decided again by the catalogue of its time.

What the row itself tells is taken from it: whether the licence was revoked then follows from how
far the checks came.
"""

from __future__ import annotations

from dataclasses import dataclass

from issuances.models import Issuance
from registry_token.entitlement import CHECKS
from registry_token.record import read_facts
from registry_token.replay import access_of, asked_in
from registry_token.simulation import Simulation, simulate
from registry_token.simulation_sources import Unanswerable, as_of


@dataclass(frozen=True, slots=True)
class Again:
    """`simulation` is None where the catalogue of that time is not known; `why_not` says why."""

    simulation: Simulation | None
    why_not: str = ""
    differs: bool = False
    revoked_since: bool = False
    """The caller's licence is revoked now, and was not then."""


def decided_again(row: Issuance) -> Again:
    """Raises django.db.Error, Unavailable."""
    was_revoked = row.refusal == "licence_revoked"
    is_revoked = bool(row.licence) and read_facts(row.licence).licence_revoked
    revoked_since = is_revoked and not was_revoked and _passed_licence(row)
    try:
        source = as_of(row.catalogue_revision)
    except Unanswerable as error:
        return Again(None, str(error), revoked_since=revoked_since)
    simulation = simulate(asked_in(row), source, licence_revoked=was_revoked)
    return Again(simulation, differs=_differs(row, simulation), revoked_since=revoked_since)


def _passed_licence(row: Issuance) -> bool:
    """Whether the checks came as far as the deny list."""
    codes = [code for code, _check in CHECKS]
    before = codes[: codes.index("licence_revoked")]
    return row.refusal not in before


def _differs(row: Issuance, simulation: Simulation) -> bool:
    code = simulation.refusal["code"] if simulation.refusal is not None else ""
    granted = tuple(map(str, access_of(row.granted)))
    return (code, simulation.plan, set(simulation.granted)) != (row.refusal, row.plan, set(granted))
