"""The final admins: those of the apps, with what needs several apps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import admin as auth
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from issuances.admin import IssuanceAdmin
from issuances.models import Issuance
from licences.admin import RevokedLicenceAdmin
from licences.models import RevokedLicence
from people.rights import WithinOwnRights
from plans.models import Plan
from registry_token.licence_usage import in_words, usage_of
from registry_token.pages import audit, audit_row
from registry_token.pages.lint_notices import ShowsFindings
from registry_token.pages.plans import ConfirmingPlanAdmin


@admin.register(Plan)
class PlanAdmin(ShowsFindings, ConfirmingPlanAdmin):
    """Plans, with what lint finds and what a change would take away."""


@admin.register(Issuance)
class AuditAdmin(IssuanceAdmin):
    """The log: its list and its rows are pages of our own, which stay quick however large it is."""

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list."""
        return self._for_readers(request, audit.listed)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A row."""
        return self._for_readers(request, audit_row.shown, object_id)

    def _for_readers(
        self, request: HttpRequest, page: Callable[..., HttpResponse], *args: Any
    ) -> HttpResponse:
        may = self.has_view_permission(request) and request.method in ("GET", "HEAD")
        if not may:
            raise PermissionDenied
        return page(request, *args)


@admin.register(RevokedLicence)
class LicenceAdmin(RevokedLicenceAdmin):
    """Revoking, with what it means for those who have been using the licence."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Remember what is revoked."""
        super().save_model(request, obj, form, change)
        if not change:
            request.revoked = obj.licence  # type: ignore[attr-defined]

    def as_one_change(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Afterwards, when no more tokens are issued for it, say who has been using the licence and
        how long their tokens live on.
        """
        response = super().as_one_change(request, view, *args, **kwargs)
        if (licence := getattr(request, "revoked", None)) is not None:
            text = in_words(usage_of([licence], timezone.now()))
            self.message_user(request, text, messages.WARNING)
        return response


class Ticked(admin.ModelAdmin):
    """Boxes to tick, for what Django's pair of lists hides from screen readers."""

    filter_horizontal = ()

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        """All that can be chosen, below each other."""
        widget = forms.CheckboxSelectMultiple()
        return super().formfield_for_manytomany(db_field, request, **kwargs | {"widget": widget})


admin.site.unregister([User, Group])

_RIGHTS = ("is_staff", "groups")


@admin.register(User)
class UserAdmin(Ticked, WithinOwnRights, auth.UserAdmin):
    """Who may log in. Who is added here may, and gets a job by groups; single permissions, which
    are hard to keep track of, are below what is folded away.
    """

    add_fieldsets = (*auth.UserAdmin.add_fieldsets, (_("May do"), {"fields": _RIGHTS}))
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("May do"), {"fields": ("is_active", *_RIGHTS)}),
        (_("Personal info"), {"fields": ("first_name", "last_name", "email")}),
        (
            _("Rights beside the groups, and dates"),
            {
                "classes": ("collapse",),
                "fields": ("is_superuser", "user_permissions", "last_login", "date_joined"),
            },
        ),
    )

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """There is nothing else to log in to."""
        return {"is_staff": True} | super().get_changeform_initial_data(request)


@admin.register(Group)
class GroupAdmin(Ticked, WithinOwnRights, auth.GroupAdmin):
    """The roles: what their members may do."""
