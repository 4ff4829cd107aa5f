"""On PostgreSQL the log gets a partition for each month, while it is being written to."""

from datetime import UTC, datetime

from django.db import migrations

from issuances.keeping import partitioning


def convert(apps, schema_editor):
    partitioning.convert(datetime.now(UTC))


def revert(apps, schema_editor):
    partitioning.revert()


class Migration(migrations.Migration):
    atomic = False  # each step commits by itself, so that none holds up new rows for long

    dependencies = [
        ("issuances", "0004_saved_queries"),
    ]

    operations = [migrations.RunPython(convert, revert)]
