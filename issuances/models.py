"""The issuance log's table.

Plans, licences and services are names, not foreign keys, so that a row outlives the catalogue that
decided it. Rows hold no credential: neither the caller's token nor the registry token.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from issuances.expressions import (
    AskedMany,
    AskedMore,
    AskedRarely,
    AskedSeveral,
    FirstName,
    NotAllGranted,
    OutcomeCode,
    SecondName,
    ThirdName,
)
from issuances.refusals import refusal_in_words


class Issuance(models.Model):
    """One decision about an authenticated request: a registry token, or a refusal."""

    id = models.UUIDField(primary_key=True, help_text=_("UUIDv7: ordered by time"))
    created_at = models.DateTimeField()
    request_id = models.CharField(max_length=64)
    subject = models.CharField(max_length=255)
    client_id = models.CharField(max_length=255, blank=True)
    tenant = models.CharField(max_length=255, blank=True)
    plan = models.CharField(max_length=255, blank=True)
    licence = models.CharField(max_length=255, blank=True)
    service = models.CharField(max_length=255)
    requested = models.JSONField(help_text=_("What was asked: resources with actions"))
    granted = models.JSONField(help_text=_("What was granted, in the same form"))
    jti = models.UUIDField(null=True, help_text=_("Of the registry token, equal to the row's id"))
    expires_at = models.DateTimeField(null=True, help_text=_("Of the registry token"))
    refusal = models.CharField(max_length=40, blank=True, help_text=_("Why there is no token"))
    catalogue_revision = models.PositiveBigIntegerField()
    caller_jti = models.CharField(max_length=255, blank=True, help_text=_("Of the caller's token"))
    remote_address = models.CharField(max_length=45, blank=True)
    user_agent = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ("-id",)
        permissions = (("export_issuance", "Can export the issuance log"),)
        constraints = (
            models.CheckConstraint(
                name="issuance_has_either_jti_or_refusal",
                condition=models.Q(jti__isnull=False, expires_at__isnull=False, refusal="")
                | (models.Q(jti__isnull=True, expires_at__isnull=True) & ~models.Q(refusal="")),
            ),
        )
        indexes = (
            # One for each question of `access_paths`; all end with the id, so that they give rows
            # in their order. Ascending throughout: they are entered by a pair.
            models.Index(fields=("subject", "id"), name="issuance_subject"),
            models.Index(fields=("licence", "id"), name="issuance_licence"),
            models.Index(fields=("plan", "id"), name="issuance_plan"),
            models.Index(fields=("service", "id"), name="issuance_service"),
            models.Index(fields=("request_id", "id"), name="issuance_request"),
            models.Index(fields=("remote_address", "id"), name="issuance_address"),
            models.Index(fields=("catalogue_revision", "id"), name="issuance_revision"),
            models.Index(
                fields=("client_id", "id"), name="issuance_client", condition=~Q(client_id="")
            ),
            models.Index(fields=("tenant", "id"), name="issuance_tenant", condition=~Q(tenant="")),
            models.Index(
                OutcomeCode(), "id", name="issuance_outcome", condition=Q(NotAllGranted())
            ),
            models.Index(FirstName(), "id", name="issuance_first_name"),
            models.Index(
                SecondName(), "id", name="issuance_second_name", condition=Q(AskedSeveral())
            ),
            models.Index(ThirdName(), "id", name="issuance_third_name", condition=Q(AskedMany())),
            models.Index(AskedMore(), "id", name="issuance_more", condition=Q(AskedMore())),
            models.Index(AskedRarely(), "id", name="issuance_rare", condition=Q(AskedRarely())),
        )

    def __str__(self) -> str:
        return str(self.id)

    @property
    def why(self) -> str:
        """Why there is no token, in words; "" if there is one."""
        return refusal_in_words(self.refusal)


class SavedQuery(models.Model):
    """A filter of the log that somebody gave a name. It outlives its owner's account."""

    name = models.CharField(max_length=100)
    query = models.CharField(max_length=2000, help_text=_("The filter's part of a URL"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    is_shared = models.BooleanField(default=False)
    saved_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name", "id")
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("owner", "name"), name="savedquery_owner_name"),
        )

    def __str__(self) -> str:
        return self.name


class Rollup(models.Model):
    """How many rows of an hour or a day have a key, by outcome; see `rollup_counts`.

    Each period that was counted has one row of the dimension `total`, also when it is empty.
    """

    class Span(models.TextChoices):
        HOUR = "hour", _("Hour")
        DAY = "day", _("Day")

    span = models.CharField(max_length=4, choices=Span)
    begin = models.DateTimeField()
    dimension = models.CharField(max_length=16)
    key = models.TextField(blank=True)
    granted = models.PositiveBigIntegerField()
    part = models.PositiveBigIntegerField()
    refused = models.PositiveBigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("span", "dimension", "begin", "key"), name="rollup_counts_a_key_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.begin:%Y-%m-%d %H:%M} {self.span} {self.dimension} {self.key}"


class FailedAuthentications(models.Model):
    """How often callers of one network failed to authenticate in one minute, for one reason."""

    minute = models.DateTimeField()
    reason = models.CharField(max_length=40)
    network = models.CharField(max_length=50)  # an address prefix, or other
    failures = models.PositiveBigIntegerField()
    throttled = models.PositiveBigIntegerField()  # those that were answered 429

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                fields=("minute", "reason", "network"), name="failed_authentications_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.minute:%Y-%m-%d %H:%M} {self.reason} {self.network}: {self.failures}"


class SealedBatch(models.Model):
    """Rows of the log that are sealed together, or a note that sealed ones were pruned.

    The statement is what counts; the other columns are for finding and showing it.
    """

    number = models.PositiveBigIntegerField(primary_key=True)
    kind = models.CharField(max_length=10)
    sealed_at = models.DateTimeField()
    rows = models.PositiveBigIntegerField()
    first_id = models.UUIDField(null=True)
    last_id = models.UUIDField(null=True)
    late = models.BooleanField(default=False)
    statement = models.TextField(help_text=_("The signed seal, a JWS"))
    ids = models.BinaryField(null=True, help_text=_("Of the rows, 16 bytes each"))
    leaves = models.BinaryField(null=True, help_text=_("Hashes of the rows, 32 bytes each"))

    class Meta:
        ordering = ("-number",)
        # Which batch a row is in, and up to where rows are sealed.
        indexes = (
            models.Index(fields=("last_id",), name="sealed_by_last_id"),
            models.Index(fields=("last_id",), name="sealed_late", condition=models.Q(late=True)),
        )

    def __str__(self) -> str:
        return str(self.number)
