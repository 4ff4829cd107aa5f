"""The forms of the deny list: a reason is required for every change of it."""

from __future__ import annotations

from datetime import datetime

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from licences.models import RevokedLicence
from plans.forms import ReasonField


class ReinstatementForm(forms.Form):
    """Why a licence counts again."""

    reason = ReasonField()


class RevokedLicenceForm(forms.ModelForm):
    """The licence, why it is revoked, and until when."""

    reason = ReasonField(
        help_text=gettext_lazy("Such as: chargeback, order 4711. Never shown to the caller")
    )

    class Meta:
        model = RevokedLicence
        fields = ("licence", "reason", "until")
        help_texts = {
            "licence": gettext_lazy(
                "As the callers' tokens say it, such as LIC-0042; capital letters do not matter"
            )
        }

    def clean_until(self) -> datetime | None:
        """A new end must be ahead: who wants to end a revocation at once reinstates."""
        until: datetime | None = self.cleaned_data["until"]
        if until is not None and "until" in self.changed_data and until <= timezone.now():
            raise forms.ValidationError(
                _("is in the past; reinstate the licence to end its revocation at once")
            )
        return until
