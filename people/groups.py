"""The groups that come with the service, each a job that somebody has."""

from __future__ import annotations

from typing import Any

VIEWER = (
    "plans.view_plan",
    "plans.view_planrule",
    "plans.view_cataloguerevision",
    "licences.view_revokedlicence",
)
AUDITOR = (*VIEWER, "issuances.view_issuance", "issuances.export_issuance", "people.view_activity")


def _changing(*models: str) -> tuple[str, ...]:
    return tuple(
        f"{app}.{verb}_{model}"
        for app, _, model in (name.partition(".") for name in models)
        for verb in ("add", "change", "delete")
    )


EDITOR = (*VIEWER, *_changing("plans.plan", "plans.planrule"))
MANAGER = (*VIEWER, *_changing("licences.revokedlicence"))
_USERS = ("auth.view_user", "auth.view_group", *_changing("auth.user", "auth.group"))

GROUPS = {
    "viewer": VIEWER,
    "auditor": AUDITOR,
    "catalogue editor": EDITOR,
    "licence manager": MANAGER,
    "administrator": tuple(dict.fromkeys((*AUDITOR, *EDITOR, *MANAGER, *_USERS))),
}


def create(group_model: Any, permission_model: Any) -> None:
    """Make the groups that are missing; those that are there stay as their operator has them."""
    for name, permissions in GROUPS.items():
        group, is_new = group_model.objects.get_or_create(name=name)
        if is_new:
            group.permissions.set([_permission(permission_model, it) for it in permissions])


def _permission(permission_model: Any, name: str) -> Any:
    app, _, codename = name.partition(".")
    return permission_model.objects.get(content_type__app_label=app, codename=codename)
