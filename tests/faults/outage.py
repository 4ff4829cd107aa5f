"""What every answer must be while the database is away, and after it is back."""

from __future__ import annotations

from collections.abc import Iterable

from tests.faults.client import Answer

# Seconds. The promise is 2; the rest is what a busy machine takes to run clients and service.
PROMISE = 2.5
RECOVERY = 3


def is_refused_well(answer: Answer) -> bool:
    """503 in time that says when to come again, in the form that clients read."""
    says_when = answer.retry_after.isdecimal() and int(answer.retry_after) >= 1
    well_formed = answer.status == 503 and answer.code == "UNAVAILABLE" and not answer.error
    return well_formed and says_when and answer.latency < PROMISE


def unlike_an_outage(answers: Iterable[Answer]) -> list[Answer]:
    """Answers that are neither good and in time, nor refused well."""
    return [
        answer
        for answer in answers
        if not is_refused_well(answer) and not (answer.good and answer.latency < PROMISE)
    ]


def cut_off(answers: Iterable[Answer], moment: float) -> int:
    """How many failed requests were under way at a moment: their rows may have been committed."""
    return sum(
        answer.at <= moment <= answer.at + answer.latency for answer in answers if not answer.good
    )
