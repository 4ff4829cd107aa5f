"""What a pattern matches among the repositories that were asked for lately."""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from issuances.models import Issuance
from plans.models import Plan, PlanRule
from plans.pattern_errors import pattern_error
from plans.patterns import compile_pattern
from registry_token.pages.site import Page, context_of, row_number

MAX_ROWS, MAX_NAMES = 20_000, 10_000
_AT_ONCE = 200  # rows
MAX_SHOWN = 20
MAX_SECONDS = 2.0
SECONDS_KEPT = 10.0

_kept: tuple[float, tuple[str, ...]] | None = None


class Matches(NamedTuple):
    """`error` says why the pattern is none, or that there was no time to look; else `names` are the
    first of `total`, of `seen`.
    """

    pattern: str
    error: str
    names: list[str]
    total: int
    seen: int


def repositories_seen() -> tuple[str, ...]:
    """Names in the newest rows of the log, sorted; kept for some seconds, as people type fast."""
    global _kept
    kept, now = _kept, time.monotonic()
    if kept is not None and now - kept[0] < SECONDS_KEPT:
        return kept[1]
    rows = Issuance.objects.values_list("requested", "granted")[:MAX_ROWS]
    names: set[str] = set()
    with transaction.atomic():  # which keeps a pooler from giving the cursor to others
        for row in rows.iterator(chunk_size=_AT_ONCE):
            names.update(entry["name"] for entries in row for entry in entries if _is_one(entry))
            if len(names) >= MAX_NAMES:
                break
    _kept = now, tuple(sorted(names))
    return _kept[1]


def _is_one(entry: dict[str, str]) -> bool:
    return entry["type"] == "repository"


def matches_of(pattern: str, deadline: float = math.inf) -> Matches:
    """What `pattern` matches, or why it cannot match. `deadline` is one of time.monotonic()."""
    if error := pattern_error(pattern):
        return Matches(pattern, error, [], 0, 0)
    if time.monotonic() > deadline:
        error = _("The plan has too many patterns to look at all of them; type this one above.")
        return Matches(pattern, error, [], 0, 0)
    seen, expression = repositories_seen(), compile_pattern(pattern)
    names = [name for name in seen if expression.fullmatch(name)]
    return Matches(pattern, "", names[:MAX_SHOWN], len(names), len(seen))


def in_words(found: Matches) -> str:
    """One line for the person who types."""
    if found.error:
        return found.error
    counts = {"count": found.total, "seen": found.seen}
    return _("matches %(count)s of %(seen)s repositories seen lately") % counts


def as_json(request: HttpRequest) -> HttpResponse:
    """For the page's script, as one types."""
    found = matches_of(request.GET.get("pattern", ""))
    return JsonResponse(found._asdict() | {"summary": in_words(found)})


def page(request: HttpRequest) -> HttpResponse:
    """For one pattern that is typed here, or for all of a saved plan."""
    pattern = request.GET.get("pattern", "").strip()
    patterns = [pattern] if pattern else []
    number = row_number(request.GET.get("plan", ""))
    plan = None if number is None else Plan.objects.filter(pk=number).first()
    if plan is not None:
        rules = plan.rules.filter(type=PlanRule.Type.REPOSITORY)
        patterns += dict.fromkeys(rules.values_list("pattern", flat=True))
    deadline = time.monotonic() + MAX_SECONDS
    found = [matches_of(pattern, deadline) for pattern in patterns]
    context = context_of(
        request,
        _("What does a pattern match?"),
        pattern=pattern,
        plan=plan,
        found=[(matches, in_words(matches)) for matches in found],
    )
    return TemplateResponse(request, "admin/matches.html", context)


PAGES: tuple[Page, ...] = (
    Page("matches/", "matches", page, "plans.view_plan"),
    Page("matches.json", "matches_json", as_json, "plans.view_plan"),
)
