"""The accounts of people who log in through the Authority."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction

from people.models import SsoIdentity

_ATTEMPTS = 5  # of people with the same name at the same moment
_NOT_IN_NAMES = re.compile(r"[^\w.@+-]+")


@transaction.atomic
def account(issuer: str, subject: str, name: str, groups: Collection[str]) -> User | None:
    """The subject's account, made at the first log-in, in exactly these groups.

    None when it is in none of them or switched off; a known account then loses what it had.
    """
    known = Group.objects.filter(name__in=groups)
    identity = SsoIdentity.objects.select_related("user").filter(issuer=issuer, subject=subject)
    user: Any = getattr(identity.first(), "user", None)
    if user is None:
        if not known:
            return None
        user = _new_account(issuer, subject, name)
    user.groups.set(known)
    user.is_staff = bool(known)
    user.save(update_fields=["is_staff"])
    return user if user.is_staff and user.is_active else None


def _new_account(issuer: str, subject: str, name: str) -> Any:
    identity = SsoIdentity.objects.filter(issuer=issuer, subject=subject)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            with transaction.atomic():
                # Without a password: nobody logs in to it but through the Authority.
                user = get_user_model().objects.create_user(_free_name(name or subject))
                SsoIdentity.objects.create(issuer=issuer, subject=subject, user=user)
            return user
        except IntegrityError:
            if (same := identity.first()) is not None:  # in another window at the same moment
                return same.user
            if attempt == _ATTEMPTS:
                raise
            # Somebody else of that name: the next free one.


def _free_name(wanted: str) -> str:
    """A user name that nobody has, local accounts included: they are never taken over by name."""
    # As Django stores it: a fullwidth "alice" is an alice, too.
    normal = User.normalize_username(wanted)
    name = _NOT_IN_NAMES.sub("-", normal)[:140] or "person"
    taken = set(User.objects.filter(username__startswith=name).values_list("username", flat=True))
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return next(free for free in (name, *numbered) if free not in taken)
