"""The deny list: licences whose holders get no registry token."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from plans.models import CataloguePart
from plans.revisions import author_of_change
from plans.validators import validate_printable

# Combining marks and format characters change how an id looks little or not at all.
_INVISIBLE = ("Mn", "Me", "Cf")
# Of the normalised form, which can be longer than what was typed.
MAX_KEY_LENGTH = 1000


def normalised(licence: str) -> str:
    """The form in which licence ids are compared: no spelling of a revoked one may pass."""
    if licence.isascii():
        return licence.strip().casefold()
    folded = unicodedata.normalize("NFKC", licence).casefold()
    return "".join(char for char in folded if unicodedata.category(char) not in _INVISIBLE).strip()


class RevokedLicence(CataloguePart):
    """A licence id on the deny list, as it was typed and in the form that is compared."""

    licence = models.CharField(max_length=255, help_text=_("As in the claim stellaops:license"))
    key = models.CharField(max_length=MAX_KEY_LENGTH, unique=True, editable=False)
    reason = models.CharField(
        max_length=500,
        blank=True,
        validators=[validate_printable],
        help_text=_("Never shown to the caller"),
    )
    revoked_at = models.DateTimeField(default=timezone.now, editable=False)
    revoked_by = models.CharField(max_length=255, editable=False, default="", db_default="")
    until = models.DateTimeField(
        null=True,
        blank=True,
        help_text=_("From then on it no longer counts (UTC); empty: it counts for ever"),
    )

    class Meta:
        ordering = ("licence",)

    def __str__(self) -> str:
        return self.licence

    def clean(self) -> None:
        """Trim the id; ValidationError when it is empty or unprintable."""
        self.licence = self.licence.strip()
        key = normalised(self.licence)
        if not 0 < len(key) <= MAX_KEY_LENGTH or not self.licence.isprintable():
            raise ValidationError({"licence": "must be a licence id such as LIC-0007"})

    def validate_unique(self, exclude: Collection[str] | None = None) -> None:
        """ValidationError when another spelling of the id is on the list."""
        super().validate_unique(exclude)
        same = RevokedLicence.objects.filter(key=normalised(self.licence)).exclude(pk=self.pk)
        if (revoked := same.first()) is not None:
            raise ValidationError({"licence": f"{revoked.licence} is revoked already"})

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save with `key` following `licence`, whoever saves it."""
        self.prepare()
        super().save(*args, **kwargs)

    def prepare(self) -> None:
        """Fill in what follows from the rest, and who revokes; for `bulk_create`, too."""
        self.key = normalised(self.licence)
        if self._state.adding:
            self.revoked_by = self.revoked_by or author_of_change().actor

    def is_in_effect(self, now: datetime) -> bool:
        """Whether callers with this licence are refused."""
        return self.until is None or self.until > now


class LicenceEvent(models.Model):
    """What happened to a licence, who did it and why. Rows are only ever added."""

    class What(models.TextChoices):
        REVOKED = "revoked", _("revoked")
        CHANGED = "changed", _("changed")
        REINSTATED = "reinstated", _("reinstated")

    licence = models.CharField(max_length=255)
    key = models.CharField(max_length=MAX_KEY_LENGTH, db_index=True)
    what = models.CharField(max_length=10, choices=What.choices)
    at = models.DateTimeField(default=timezone.now)
    actor = models.CharField(max_length=255)
    source = models.CharField(max_length=20)
    reason = models.TextField(blank=True)
    until = models.DateTimeField(null=True)
    revision = models.PositiveBigIntegerField(null=True, help_text=_("Of the catalogue"))

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.licence} {self.what}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add; TypeError for a row that is there already."""
        if not self._state.adding:
            raise TypeError("the history of licences is not changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """TypeError."""
        raise TypeError("the history of licences is not deleted")
