"""Finds the few seals of late rows, however many others there are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("issuances", "0009_seals"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="sealedbatch",
            index=models.Index(
                fields=["last_id"], name="sealed_late", condition=models.Q(("late", True))
            ),
        ),
    ]
