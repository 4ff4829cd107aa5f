"""The simulator: what would /token answer, and why? By any catalogue, also one not saved yet."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from plans.models import Plan
from registry_token.access import format_scopes
from registry_token.log_access import VIEW_LOG
from registry_token.pages.drafts import DraftError, draft_of_form, read_draft
from registry_token.pages.simulator_form import SimulatorForm
from registry_token.pages.simulator_words import in_words
from registry_token.pages.site import Page, context_of
from registry_token.replay import Asked
from registry_token.simulation import simulate
from registry_token.simulation_sources import with_plan


def _filled_in(asked: Asked) -> dict[str, Any]:
    """A question of the log as the form's fields, to ask it again with a change."""
    request, caller = asked
    return {
        "plan": caller.plan or "",
        "licence": caller.licence or "",
        "service": request.service,
        "asked": format_scopes(request.access).replace(" ", "\n"),
    }


def simulator(request: HttpRequest) -> HttpResponse:
    """The form; with its fields in the query also the result."""
    may_read_log = request.user.has_perm(VIEW_LOG)
    fields = ("plan", "licence", "asked", "service", "revision", "request_id")
    data = request.GET if any(name in request.GET for name in fields) else None
    form = SimulatorForm(data, may_read_log=may_read_log)
    results = _results(form)
    if data and results and form.cleaned_data.get("request_id"):
        initial = _filled_in(form.questions[0]) | {"revision": form.cleaned_data["revision"]}
        form = SimulatorForm(initial=initial, may_read_log=may_read_log)
    return _page(request, form, results)


def unsaved(request: HttpRequest) -> HttpResponse:
    """The same with what is in the form of a plan's page, or in the draft that it became."""
    may_read_log = request.user.has_perm(VIEW_LOG)
    if request.method != "POST":
        return simulator(request)
    is_asked = "draft" in request.POST
    try:
        draft = read_draft(request.POST["draft"]) if is_asked else draft_of_form(request)
    except DraftError as error:
        return _page(request, None, [], problems=error.problems)
    source = with_plan(draft.entry, instead_of=draft.instead_of)
    form = SimulatorForm(
        request.POST if is_asked else None,
        initial={"plan": draft.entry["name"]},
        may_read_log=may_read_log,
        draft=source,
    )
    return _page(request, form, _results(form), draft=draft)


def _results(form: SimulatorForm) -> list[dict[str, Any]]:
    if not form.is_valid():
        return []
    return [in_words(simulate(asked, form.source)) for asked in form.questions]


def _page(
    request: HttpRequest, form: SimulatorForm | None, results: Any, **extra: Any
) -> HttpResponse:
    plans = dict(Plan.objects.values_list("name", "pk"))
    for result in results:
        result["plan_id"] = plans.get(result["plan"])
    context = context_of(
        request, _("Simulator"), form=form, results=results, plans=list(plans), **extra
    )
    return TemplateResponse(request, "admin/simulator.html", context)


PAGES: tuple[Page, ...] = (
    Page("simulate/", "simulate", simulator, "plans.view_plan", gettext_lazy("Simulator")),
    Page("simulate/unsaved/", "simulate_unsaved", unsaved, "plans.change_plan"),
)
