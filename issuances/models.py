"""The issuance log's table.

Plans, licences and services are names, not foreign keys, so that a row outlives the catalogue that
decided it. Rows hold no credential: neither the caller's token nor the registry token.
"""

from __future__ import annotations

from django.db import models

from issuances.refusals import refusal_in_words


class Issuance(models.Model):
    """One decision about an authenticated request: a registry token, or a refusal."""

    id = models.UUIDField(primary_key=True, help_text="UUIDv7: ordered by time")
    created_at = models.DateTimeField()
    request_id = models.CharField(max_length=64)
    subject = models.CharField(max_length=255)
    client_id = models.CharField(max_length=255, blank=True)
    tenant = models.CharField(max_length=255, blank=True)
    plan = models.CharField(max_length=255, blank=True)
    licence = models.CharField(max_length=255, blank=True)
    service = models.CharField(max_length=255)
    requested = models.JSONField(help_text="What was asked: resources with actions")
    granted = models.JSONField(help_text="What was granted, in the same form")
    jti = models.UUIDField(null=True, help_text="Of the registry token, equal to the row's id")
    expires_at = models.DateTimeField(null=True, help_text="Of the registry token")
    refusal = models.CharField(max_length=40, blank=True, help_text="Why there is no token")
    catalogue_revision = models.PositiveBigIntegerField()
    caller_jti = models.CharField(max_length=255, blank=True, help_text="Of the caller's token")
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
            # The auditors' first questions: who, which licence, which plan, newest first.
            models.Index(fields=("subject", "-id"), name="issuance_by_subject"),
            models.Index(fields=("licence", "-id"), name="issuance_by_licence"),
            models.Index(fields=("plan", "-id"), name="issuance_by_plan"),
            models.Index(fields=("request_id",), name="issuance_by_request"),
        )

    def __str__(self) -> str:
        return str(self.id)

    @property
    def why(self) -> str:
        """Why there is no token, in words; "" if there is one."""
        return refusal_in_words(self.refusal)
