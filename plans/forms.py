"""The forms of a plan: itself, its rules, and the reason that every change of it needs."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from plans.conflicts import fingerprint
from plans.models import REPOSITORY_ACTIONS, Plan, PlanRule
from plans.pattern_errors import pattern_error
from plans.validators import validate_printable


class ReasonField(forms.CharField):
    """Why something is changed, in one line for the history."""

    widget = forms.TextInput(attrs={"size": 60})

    def __init__(self, **options: Any) -> None:
        """`options` as of CharField."""
        ours: dict[str, Any] = {
            "label": _("Reason"),
            "max_length": 500,
            "validators": [validate_printable],
        }
        super().__init__(**ours | options)


class ReasonForm(forms.Form):
    """What a form has whose change needs a reason; mix it into a ModelForm."""

    reason = ReasonField(
        label=_("Why"),
        help_text=_("For the history, as in: Acme Ltd bought push access, order 4711"),
        error_messages={"required": _("Say why, as in: Acme Ltd bought push access, order 4711")},
    )

    @cached_property
    def changed_data(self) -> list[str]:
        """What would be stored: a reason alone is no change."""
        return [name for name in super().changed_data if name not in ("reason", "loaded")]


class LinesField(forms.CharField):
    """A list of texts, typed one a line or separated by commas."""

    widget = forms.Textarea(attrs={"rows": 2, "cols": 30})

    def prepare_value(self, value: Any) -> Any:
        """The list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """The lines as a list."""
        text = super().to_python(value) or ""
        return [item.strip() for item in text.replace(",", "\n").splitlines() if item.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare lists, not their spelling."""
        return bool((initial or []) != self.to_python(data))


class PlanRuleForm(forms.ModelForm):
    """One rule, its actions as boxes to tick."""

    actions = forms.MultipleChoiceField(
        choices=[
            *((action, action) for action in REPOSITORY_ACTIONS if action != "*"),
            ("*", _("* (all)")),
        ],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("* stands for all of them"),
    )
    services = LinesField(
        required=False, help_text=_("Only for these registries, one a line; empty: for all")
    )

    class Meta:
        model = PlanRule
        fields = ("effect", "type", "pattern", "actions", "services")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Inputs in a table have no label of their own; the boxes of the actions have."""
        super().__init__(*args, **kwargs)
        self.fields["pattern"].widget.attrs["placeholder"] = "acme/**"
        self.fields["services"].widget.attrs["placeholder"] = "registry.example.com"
        self.fields["pattern"].error_messages["required"] = str(pattern_error(""))
        self.fields["actions"].error_messages["required"] = _(
            "tick one or more, as in pull; a rule without an action does nothing"
        )
        for name in ("effect", "type", "pattern", "services"):
            self.fields[name].widget.attrs["aria-label"] = self[name].label

    def add_error(self, field: str | None, error: Any) -> None:
        """Without what the model says again of a field that has its message already."""
        if field is None and hasattr(error, "error_dict"):
            new = {name: e for name, e in error.error_dict.items() if name not in self.errors}
            error = ValidationError(new)
        super().add_error(field, error)


class DeletionBox(forms.CheckboxInput):
    """The box that deletes a rule, with its label where there is no head of a table above it."""

    template_name = "admin/widgets/delete_rule.html"


class PlanRuleFormSet(forms.BaseInlineFormSet):
    """The rows of the rules."""

    def add_fields(self, form: Any, index: int | None) -> None:
        """Name the box that deletes a row."""
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].widget = DeletionBox(attrs={"aria-label": _("Delete this rule")})


class PlanForm(ReasonForm, forms.ModelForm):
    """A plan, why it is changed, and which state of it the page shows."""

    loaded = forms.CharField(required=False, widget=forms.HiddenInput)
    conflict = ""
    """What somebody else has changed since; see `PlanAdmin.changeform_view`."""

    class Meta:
        model = Plan
        fields = ("name", "description", "enabled", "licence_required")
        help_texts = {
            "name": _("As the callers' tokens say it, such as enterprise"),
            "description": _("For people here, such as: customers with a support contract"),
        }
        widgets = {"description": forms.TextInput(attrs={"size": 60})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Remember what is shown."""
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["loaded"] = fingerprint(self.instance)

    def clean(self) -> dict[str, Any] | None:
        """Refuse once what would overwrite somebody else's change unseen."""
        cleaned: dict[str, Any] | None = super().clean()
        if self.conflict:
            raise forms.ValidationError(self.conflict)
        return cleaned
