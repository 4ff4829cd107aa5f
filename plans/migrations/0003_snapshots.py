"""What the catalogue was after each change. Nullable: an older version goes on without."""

from django.db import migrations, models


def keep_what_is_there(apps, schema_editor):
    """The newest revision gets its snapshot, in the form of plans.snapshots as it then was."""
    newest = apps.get_model("plans", "CatalogueRevision").objects.order_by("-number").first()
    plans = apps.get_model("plans", "Plan").objects.order_by("name").prefetch_related("rules")
    if newest is not None:
        newest.snapshot = [plan_entry(plan) for plan in plans]
        newest.save(update_fields=["snapshot"])


def plan_entry(plan):
    entry = {"name": plan.name}
    if plan.description:
        entry["description"] = plan.description
    if not plan.enabled:
        entry["enabled"] = False
    if plan.licence_required:
        entry["licence_required"] = True
    return entry | {"rules": [rule_entry(rule) for rule in plan.rules.order_by("id")]}


def rule_entry(rule):
    name = "registry" if rule.type == "registry" else "repositories"
    entry = {name: rule.pattern, "actions": rule.actions}
    if rule.effect != "allow":
        entry["effect"] = rule.effect
    if rule.services:
        entry["services"] = rule.services
    return entry


class Migration(migrations.Migration):
    dependencies = [("plans", "0002_empty_catalogue")]

    operations = [
        migrations.AddField(
            model_name="cataloguerevision",
            name="changes",
            field=models.JSONField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="cataloguerevision",
            name="snapshot",
            field=models.JSONField(editable=False, null=True),
        ),
        migrations.RunPython(keep_what_is_there, migrations.RunPython.noop),
    ]
