"""The tables of the activity log and of single sign-on.

The log's actors and objects are names, not foreign keys, so that a row outlives what it speaks of.
"""

from __future__ import annotations

from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    """What people do."""

    LOGGED_IN = "logged_in", _("logged in")
    LOGIN_FAILED = "login_failed", _("login failed")
    LOCKED_OUT = "locked_out", _("locked out")
    LOGGED_OUT = "logged_out", _("logged out")
    PASSWORD_CHANGED = "password_changed", _("password changed")
    USER_CHANGED = "user_changed", _("user changed")
    GROUP_CHANGED = "group_changed", _("group changed")
    CATALOGUE_CHANGED = "catalogue_changed", _("catalogue changed")
    EXPORTED = "exported", _("exported")
    PRUNED = "pruned", _("pruned")
    OTHER = "other", _("other change")


class Activity(models.Model):
    """One thing that somebody did in the browser. Rows are added, never changed."""

    at = models.DateTimeField(_("time"))
    actor = models.CharField(_("who"), max_length=150, blank=True)
    action = models.CharField(_("action"), max_length=40, choices=Action.choices)
    object = models.CharField(_("object"), max_length=255, blank=True)
    detail = models.CharField(_("detail"), max_length=500, blank=True)
    address = models.CharField(_("address"), max_length=45, blank=True)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)
    document = models.TextField(
        _("document"), blank=True, db_default="", help_text=_("Of an export, its manifest")
    )

    class Meta:
        ordering = ("-id",)
        verbose_name = _("activity")
        verbose_name_plural = _("activity log")
        default_permissions = ("view",)
        indexes = (
            models.Index(fields=("actor", "-id"), name="activity_by_actor"),
            models.Index(fields=("action", "-id"), name="activity_by_action"),
            models.Index(fields=("object", "-id"), name="activity_by_object"),
            models.Index(fields=("address", "-id"), name="activity_by_address"),
            models.Index(fields=("request_id",), name="activity_by_request"),
        )

    def __str__(self) -> str:
        return f"{self.actor}: {self.get_action_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add the row; a row that is there stays as it is."""
        if not self._state.adding:
            raise TypeError("the activity log is only added to")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Never."""
        raise TypeError("the activity log is only added to")


class SsoIdentity(models.Model):
    """Whom the Authority means by a subject. Names and addresses may change hands, this not."""

    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE)

    class Meta:
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("issuer", "subject"), name="sso_identity_is_unique"),
        )

    def __str__(self) -> str:
        return f"{self.subject} of {self.issuer}"
