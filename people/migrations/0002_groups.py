"""The groups that come with the service."""

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db import migrations

from people import groups

APPS = ("auth", "plans", "licences", "issuances", "people")


def create_groups(apps, schema_editor):
    """Django makes permissions after the last migration, which is too late for groups."""
    for label in APPS:
        config = installed.get_app_config(label)
        create_permissions(config, verbosity=0, using=schema_editor.connection.alias, apps=apps)
    groups.create(apps.get_model("auth", "Group"), apps.get_model("auth", "Permission"))


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("plans", "0003_snapshots"),
        ("licences", "0001_initial"),
        ("issuances", "0002_export_permission"),
    ]

    # The groups stay: people may be in them.
    operations = [migrations.RunPython(create_groups, migrations.RunPython.noop)]
