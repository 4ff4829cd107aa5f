"""Whose account a person may change: nobody gives, takes or takes over more than is their own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.db.models import Q, QuerySet
from django.http import HttpRequest


def rights_of(holder: Any) -> QuerySet[Permission]:
    """What a group, or an account, also one that is switched off, may do."""
    if isinstance(holder, Group):
        return Permission.objects.filter(group=holder)
    return Permission.objects.filter(Q(user=holder) | Q(group__user=holder))


def is_within(holder: Any, person: Any) -> bool:
    """Whether a group or an account may do nothing that the person may not."""
    if person.is_superuser:
        return True
    beyond = rights_of(holder).exclude(pk__in=rights_of(person))
    return not getattr(holder, "is_superuser", False) and not beyond.exists()


class WithinOwnRights(admin.ModelAdmin):  # type: ignore[type-arg]
    """Mixin for accounts and groups: those with more than one's own rights can only be looked at,
    and only one's own can be given. Who may set a password may be whoever has it.
    """

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not those above; setting a password is a change, too."""
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or is_within(obj, request.user))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not those above."""
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and (obj is None or is_within(obj, request.user))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Superusers are made by superusers."""
        fields = tuple(super().get_readonly_fields(request, obj))
        is_account = hasattr(self.model, "is_superuser")
        more = ("is_superuser",) if is_account and not _is_superuser(request) else ()
        return (*fields, *more)

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        """The permissions and groups to choose from."""
        if request is not None and not _is_superuser(request):
            own = rights_of(request.user)
            kwargs["queryset"] = (
                Permission.objects.filter(pk__in=own)
                if db_field.related_model is Permission
                else Group.objects.exclude(permissions__in=Permission.objects.exclude(pk__in=own))
            )
        return super().formfield_for_manytomany(db_field, request, **kwargs)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_superuser)
