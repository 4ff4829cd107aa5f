"""The history of licences. What is revoked already gets its first event."""

import django.utils.timezone
from django.db import migrations, models


def begin(apps, schema_editor):
    """One event for each row; it does not say who revoked."""
    event = apps.get_model("licences", "LicenceEvent")
    rows = apps.get_model("licences", "RevokedLicence").objects.order_by("revoked_at", "id")
    events = (
        event(
            licence=row.licence,
            key=row.key,
            what="revoked",
            at=row.revoked_at,
            actor="migration",
            source="setup",
            reason=row.reason,
            until=row.until,
        )
        for row in rows.iterator()
    )
    event.objects.bulk_create(events, batch_size=500)


class Migration(migrations.Migration):
    dependencies = [("licences", "0002_until")]

    operations = [
        migrations.CreateModel(
            name="LicenceEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("licence", models.CharField(max_length=255)),
                ("key", models.CharField(db_index=True, max_length=1000)),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("revoked", "revoked"),
                            ("changed", "changed"),
                            ("reinstated", "reinstated"),
                        ],
                        max_length=10,
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("actor", models.CharField(max_length=255)),
                ("source", models.CharField(max_length=20)),
                ("reason", models.TextField(blank=True)),
                ("until", models.DateTimeField(null=True)),
                (
                    "revision",
                    models.PositiveBigIntegerField(help_text="Of the catalogue", null=True),
                ),
            ],
            options={"ordering": ("-id",)},
        ),
        migrations.RunPython(begin, migrations.RunPython.noop),
    ]
