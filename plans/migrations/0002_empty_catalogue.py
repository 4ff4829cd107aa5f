"""Revision 0, the empty catalogue: the row that all writers of later revisions lock."""

import secrets

from django.db import migrations


def add_revision_zero(apps, schema_editor):
    revisions = apps.get_model("plans", "CatalogueRevision").objects
    if not revisions.exists():
        revisions.create(
            number=0,
            fingerprint=secrets.token_hex(16),
            actor="migration",
            source="setup",
            reason="the empty catalogue",
        )


class Migration(migrations.Migration):
    dependencies = [("plans", "0001_initial")]

    operations = [migrations.RunPython(add_revision_zero, migrations.RunPython.noop)]
