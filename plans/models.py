"""The plan catalogue in the database: plans, their rules, and the numbered history of changes."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from plans.pattern_errors import EMPTY_PATTERN, pattern_error
from plans.validators import validate_printable

REPOSITORY_ACTIONS = ("pull", "push", "delete", "*")
CATALOG = "catalog"

_SOME_ACTIONS = _("must be a list of one or more of pull, push, delete, *")

validate_plan_name = RegexValidator(
    r"\A[A-Za-z0-9](?:[A-Za-z0-9._:-]*[A-Za-z0-9])?\Z",
    _(
        "must consist of letters, digits and . _ : - and begin and end with a letter or digit,"
        " as in enterprise or team-gold"
    ),
)


class CataloguePart(models.Model):
    """A part of the catalogue: saving it and numbering the change are one transaction."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, together with what the receivers of the signals do."""
        with transaction.atomic():
            super().save(*args, **kwargs)


class Plan(CataloguePart):
    """What the callers may do whose token says `stellaops:plan: <name>`."""

    name = models.CharField(max_length=100, unique=True, validators=[validate_plan_name])
    description = models.CharField(max_length=500, blank=True, validators=[validate_printable])
    enabled = models.BooleanField(
        default=True, help_text=_("Callers of a disabled plan are refused as if it did not exist.")
    )
    licence_required = models.BooleanField(
        default=False, help_text=_("Refuse callers whose token names no licence.")
    )

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class PlanRule(CataloguePart):
    """Allows or denies actions on the repositories that a pattern matches, or on the catalog."""

    class Effect(models.TextChoices):
        ALLOW = "allow", _("Allow")
        DENY = "deny", _("Deny")

    class Type(models.TextChoices):
        REPOSITORY = "repository", _("Repository")
        REGISTRY = "registry", _("Registry")

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="rules")
    effect = models.CharField(
        max_length=5,
        choices=Effect.choices,
        default=Effect.ALLOW,
        error_messages={"invalid_choice": _("must be allow or deny")},
    )
    type = models.CharField(max_length=10, choices=Type.choices, default=Type.REPOSITORY)
    pattern = models.CharField(
        "repositories",
        max_length=255,
        help_text=_("acme/app, acme/* (one level), acme/** (all below); for the registry: catalog"),
        error_messages={"blank": EMPTY_PATTERN},
    )
    actions = models.JSONField(
        help_text=_("pull, push, delete; * allows them all"),
        error_messages={"blank": _SOME_ACTIONS, "null": _SOME_ACTIONS},
    )
    services = models.JSONField(
        default=list, blank=True, help_text=_("Only for these registries; empty: for all")
    )

    class Meta:
        ordering = ("id",)

    def __str__(self) -> str:
        """The rule in words, as explanations and reports of changes show it."""
        name = self.pattern if self.type == self.Type.REPOSITORY else f"registry:{self.pattern}"
        services = f" for {', '.join(self.services)}" if self.services else ""
        return f"{self.effect} {', '.join(self.actions)} on {name}{services}"

    def clean(self) -> None:
        """Validate the rule as a whole and put its actions in their canonical order.

        Raises ValidationError with one entry for each wrong field.
        """
        errors = {
            field: message
            for field, message in (
                ("pattern", self._pattern_error()),
                ("actions", self._actions_error()),
                ("services", self._services_error()),
            )
            if message
        }
        if errors:
            raise ValidationError(errors)
        self.actions = [action for action in REPOSITORY_ACTIONS if action in self.actions]

    def _pattern_error(self) -> str | None:
        if self.type == self.Type.REGISTRY:
            return (
                None if self.pattern == CATALOG else gettext("must be 'catalog' for the registry")
            )
        return pattern_error(self.pattern)

    def _actions_error(self) -> str | None:
        if not _is_list_of_text(self.actions) or not self.actions:
            return str(_SOME_ACTIONS)
        if self.type == self.Type.REGISTRY and self.actions != ["*"]:
            return gettext("must be ['*'] for the registry's catalog: nothing else grants it")
        if unknown := [action for action in self.actions if action not in REPOSITORY_ACTIONS]:
            message = gettext("%(unknown)s: unknown; known are %(known)s")
            return message % {"unknown": ", ".join(unknown), "known": ", ".join(REPOSITORY_ACTIONS)}
        return None

    def _services_error(self) -> str | None:
        if _is_list_of_text(self.services) and all(
            0 < len(name) <= 255 and name == name.strip() and name.isprintable()
            for name in self.services
        ):
            return None
        return gettext("must be a list of service names, as in ['registry.example.com']")


def _is_list_of_text(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def new_fingerprint() -> str:
    """32 random hexadecimal characters."""
    return secrets.token_hex(16)


class CatalogueRevision(models.Model):
    """One numbered change of the catalogue: who made it, when, from where and why.

    The first row, number 0, stands for the empty catalogue; a migration makes it. The fingerprint
    tells apart equal numbers of different databases, as after a restore from a backup.

    `snapshot` is what all plans were after the change (see `plans.snapshots`), None when it left
    them as they were; `changes` names what was touched, one line each, None where an older version
    made the revision and kept neither. `effect` compares the plans with those before, None when one
    of the two was not kept or the plans were left alone.
    """

    class Effect(models.TextChoices):
        WIDENED = "widened", _("widened")
        NARROWED = "narrowed", _("narrowed")
        BOTH = "both", _("widened and narrowed")
        NEITHER = "neither", _("neither")

    number = models.PositiveBigIntegerField(primary_key=True)
    fingerprint = models.CharField(max_length=32, default=new_fingerprint, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    actor = models.CharField(
        max_length=255, help_text=_("User name of the person or of the process")
    )
    source = models.CharField(max_length=20, help_text=_("admin, file, setup or code"))
    reason = models.TextField(blank=True)
    changes = models.JSONField(null=True, editable=False)
    snapshot = models.JSONField(null=True, editable=False)
    effect = models.CharField(_("access"), max_length=8, choices=Effect, null=True, editable=False)

    class Meta:
        ordering = ("-number",)

    def __str__(self) -> str:
        return f"revision {self.number}"
