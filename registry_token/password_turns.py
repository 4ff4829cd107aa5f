"""How many passwords a process looks at: one at a time.

That takes long on purpose, and anybody may ask for it: all threads and processors would be busy
with guesses, and no registry token would be issued meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from registry_token.pages.site import context_of

PLACES = 3  # threads that look, or wait for their turn
_PLACES = threading.BoundedSemaphore(PLACES)
_TURN = threading.Lock()


def in_turn(request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
    """The view's answer, in its turn; 503 when too many wait already."""
    if not _PLACES.acquire(blocking=False):
        return _busy(request)
    try:
        with _TURN:
            return view()
    finally:
        _PLACES.release()


def _busy(request: HttpRequest) -> HttpResponse:
    text = _("Too many people send passwords at the moment. Try again in a few seconds.")
    context = context_of(request, _("Not logged in"), text=text)
    response = TemplateResponse(request, "admin/sso_problem.html", context, status=503)
    response["Retry-After"] = "2"
    response["Cache-Control"] = "no-store"
    return response
