"""The table of seals. Older versions do not know it, and seal nothing."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("issuances", "0008_rollup"),
    ]

    operations = [
        migrations.CreateModel(
            name="SealedBatch",
            fields=[
                ("number", models.PositiveBigIntegerField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=10)),
                ("sealed_at", models.DateTimeField()),
                ("rows", models.PositiveBigIntegerField()),
                ("first_id", models.UUIDField(null=True)),
                ("last_id", models.UUIDField(null=True)),
                ("late", models.BooleanField(default=False)),
                ("statement", models.TextField(help_text="The signed seal, a JWS")),
                ("ids", models.BinaryField(help_text="Of the rows, 16 bytes each", null=True)),
                (
                    "leaves",
                    models.BinaryField(help_text="Hashes of the rows, 32 bytes each", null=True),
                ),
            ],
            options={
                "ordering": ("-number",),
                "indexes": [models.Index(fields=["last_id"], name="sealed_by_last_id")],
            },
        ),
    ]
