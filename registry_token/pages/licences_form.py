"""The form of revoking and reinstating many licences: a list and a reason."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from licences.pasted import MAX_BYTES, MAX_LINES
from plans.forms import ReasonField


class ManyForm(forms.Form):
    """A list, pasted or as a file, and a reason."""

    text = forms.CharField(
        label=gettext_lazy("The list"),
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={
                "rows": 12,
                "cols": 60,
                "placeholder": gettext_lazy("LIC-0042\nLIC-0043,chargeback,2027-01-31"),
            }
        ),
    )
    file = forms.FileField(label=gettext_lazy("or a CSV file"), required=False)
    reason = ReasonField()

    def clean_file(self) -> str:
        """The file's text."""
        file: UploadedFile[Any] | None = self.cleaned_data["file"]
        if file is None:
            return ""
        if (file.size or 0) > MAX_BYTES:
            raise forms.ValidationError(_("is larger than 2 MiB; split it"))
        try:
            text = str(file.read(), "utf-8-sig")
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            raise forms.ValidationError(_("is not text in UTF-8; save it as CSV in UTF-8"))
        return text

    def clean(self) -> dict[str, Any]:
        """Either the one or the other, within the limits."""
        pasted, uploaded = self.cleaned_data.get("text", ""), self.cleaned_data.get("file", "")
        if not self.errors and bool(pasted.strip()) == bool(uploaded.strip()):
            self.add_error("text", _("paste a list or choose a file that is not empty, not both"))
        text = self.cleaned_data["list"] = pasted if pasted.strip() else uploaded
        if len(text.encode(errors="replace")) > MAX_BYTES + MAX_LINES:  # a browser's line ends
            self.add_error("text", _("is larger than 2 MiB; split it"))
        if text.count("\n") > MAX_LINES:
            self.add_error("text", _("has more than 100,000 lines; split it"))
        return self.cleaned_data
