"""A plan that is not saved yet: read from the form of its page, carried along as signed text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib import admin
from django.core import signing
from django.http import HttpRequest
from django.utils.translation import gettext as _

from plans.models import Plan, PlanRule
from plans.snapshots import plan_entry
from registry_token.pages.site import row_number

_SALT = "registry_token.pages.drafts"
_PLAN_FIELDS = ("name", "description", "enabled", "licence_required")


class DraftError(Exception):
    """The form is no plan. `problems` are for the person who filled it in."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Draft(NamedTuple):
    """A plan's entry, and the name of the saved plan that it is to replace ("" for a new one)."""

    entry: dict[str, Any]
    instead_of: str

    @property
    def signed(self) -> str:
        """The draft as text that only this service can have written."""
        return signing.dumps(self._asdict(), salt=_SALT, compress=True)


def read_draft(signed: str) -> Draft:
    """A draft from its text. Raises DraftError."""
    try:
        return Draft(**signing.loads(signed, salt=_SALT))
    except signing.BadSignature:
        message = _("The draft cannot be read any more; go back to the plan's page and try again.")
        raise DraftError([message]) from None


def draft_of_form(request: HttpRequest) -> Draft:
    """The plan that the posted form of a plan's page would save. Raises DraftError.

    What the page asks besides the plan, such as the reason of a change, does not count.
    """
    model_admin: Any = admin.site.get_model_admin(Plan)
    saved = Plan.objects.filter(pk=row_number(request.GET.get("plan", "")) or 0).first()
    form = model_admin.get_form(request, saved, change=saved is not None)(
        request.POST, instance=saved
    )
    instead_of = saved.name if saved is not None else ""
    formsets, _inlines = model_admin._create_formsets(
        request, form.instance, change=saved is not None
    )
    problems = [*_problems_of_plan(form), *_problems_of_rules(formsets)]
    if problems:
        raise DraftError(problems)
    rules = [rule for formset in formsets for rule in _rules(formset)]
    if not formsets and saved is not None:  # who may not see the rules leaves them as they are
        rules = list(saved.rules.all())
    return Draft(plan_entry(form.instance, rules), instead_of)


def _problems_of_plan(form: Any) -> Iterator[str]:
    for name in _PLAN_FIELDS:
        for message in form.errors.get(name, ()):
            yield f"{form.fields[name].label}: {message}"


def _problems_of_rules(formsets: list[Any]) -> Iterator[str]:
    for formset in formsets:
        yield from formset.non_form_errors()
        for number, errors in enumerate(formset.errors, start=1):
            for field, messages in errors.items():
                for message in messages:
                    yield _("Rule %(number)d, %(field)s: %(message)s") % {
                        "number": number,
                        "field": field,
                        "message": message,
                    }


def _rules(formset: Any) -> Iterator[PlanRule]:
    """Those that would be there after saving."""
    for form in formset.forms:
        is_empty = form.instance.pk is None and not form.has_changed()
        if not is_empty and form not in formset.deleted_forms:
            yield form.instance
