"""The form of the simulator: what is pasted and chosen becomes questions and a catalogue."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registry_token.errors import MalformedRequest
from registry_token.pasted_requests import Reading, Unreadable, read_pasted
from registry_token.replay import Asked
from registry_token.simulation_sources import (
    CURRENT,
    Source,
    Unanswerable,
    as_of,
    asked_before,
    asked_by,
)

MAX_ASKED = 4000  # characters, of which a URL can carry most


class SimulatorForm(forms.Form):
    """A question. `questions` and `source` are what it comes to, once it is valid."""

    plan = forms.CharField(
        label=gettext_lazy("Plan"),
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={"list": "plans", "class": "vTextField"}),
        help_text=gettext_lazy("As the caller's token names it; empty: it names none"),
    )
    licence = forms.CharField(
        label=gettext_lazy("Licence"),
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=gettext_lazy("Such as LIC-0007; empty: the token names none"),
    )
    asked = forms.CharField(
        label=gettext_lazy("What is asked"),
        required=False,
        max_length=MAX_ASKED,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60, "class": "vLargeTextField"}),
        help_text=gettext_lazy(
            "A command (docker pull registry.example.com/acme/app:1.2), an image, or scopes"
            " (repository:acme/app:pull), one a line; empty: a mere log-in. Paste no passwords."
        ),
    )
    service = forms.ChoiceField(label=gettext_lazy("Service"), required=False)
    revision = forms.IntegerField(
        label=gettext_lazy("By the catalogue of revision"),
        required=False,
        min_value=0,
        help_text=gettext_lazy("Empty: the current one. Revoked licences are always those of now."),
    )
    request_id = forms.CharField(
        label=gettext_lazy("Or the id of a request in the log"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=gettext_lazy("The request_id of an error; fills in all but the revision"),
    )

    def __init__(self, *args: Any, may_read_log: bool, draft: Source | None = None, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.source = draft or CURRENT
        self.questions: list[Asked] = []
        self.fields["service"].choices = [  # type: ignore[attr-defined]
            ("", _("as the image says, or the first")),
            *((name, name) for name in settings.REGISTRY_SERVICES),
        ]
        if not may_read_log or draft is not None:
            del self.fields["request_id"]
        if draft is not None:
            del self.fields["revision"]

    def clean_revision(self) -> int | None:
        """Find the catalogue to decide by."""
        number: int | None = self.cleaned_data["revision"]
        if number is not None:
            try:
                self.source = as_of(number)
            except Unanswerable as error:
                raise forms.ValidationError(str(error)) from None
        return number

    def clean_request_id(self) -> str:
        """Take the question from the log."""
        request_id: str = self.cleaned_data["request_id"]
        if request_id:
            try:
                self.questions = [asked_before(request_id)]
            except Unanswerable as error:
                raise forms.ValidationError(str(error)) from None
        return request_id

    def clean(self) -> None:
        """Read what was pasted, unless the log says it."""
        if not self.errors and not self.questions:
            try:
                self.questions = list(self._read(read_pasted(self.cleaned_data["asked"])))
            except (Unreadable, MalformedRequest, Unanswerable) as error:
                self.add_error("asked", str(error))

    def _read(self, readings: list[Reading]) -> list[Asked]:
        """One question for each registry that is asked."""
        of_service: dict[str, list[str]] = {}
        for reading in readings or [Reading("", "")]:
            service = self.cleaned_data["service"] or _service_of(reading.host)
            of_service.setdefault(service, []).append(reading.scope)
        claims = {name: self.cleaned_data[name] or None for name in ("plan", "licence")}
        return [
            asked_by(**claims, service=service, scopes=scopes)
            for service, scopes in of_service.items()
        ]


def _service_of(host: str) -> str:
    """The configured service that is called like an image's registry, with or without its port."""
    services: tuple[str, ...] = settings.REGISTRY_SERVICES
    if not host:
        return services[0]
    for name in (host, host.partition(":")[0]):
        if name in services:
            return name
    message = _(
        "%(host)s is not a configured service: choose the service that this registry names in its"
        " challenge"
    )
    raise Unanswerable(message % {"host": host})
