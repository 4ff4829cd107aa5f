"""How long a page takes from the question to its last byte, as one client sees it."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from benchmarks.audit_client import Answer, Auditor
from benchmarks.audit_questions import LIST, Question


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds: the median and the longest, after one that is not counted. `status` other than 200
    is a failure.
    """

    median: float
    longest: float
    status: int
    bytes: int
    goes_on: bool = False  # with a search, see `Question`


def timed(auditor: Auditor, question: Question, samples: int) -> Timed:
    """Ask so many times."""
    _asked(auditor, question)
    answers = [_asked(auditor, question) for _ in range(samples)]
    seconds = [answer.seconds for answer in answers]
    worst = max(answers, key=lambda answer: answer.status)
    return Timed(median(seconds), max(seconds), worst.status, len(worst.body), question.goes_on)


def _asked(auditor: Auditor, question: Question) -> Answer:
    """What is pasted is answered by a page elsewhere; both count."""
    if not question.pasted:
        return auditor.get(question.path)
    posted = auditor.post(question.path, {"q": question.pasted}, LIST)
    page = auditor.get(posted.location)
    return Answer(page.status, "", page.body, posted.seconds + page.seconds)
