"""Whether a revision widened or narrowed access, written with it."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = (("plans", "0003_snapshots"),)

    operations = (
        migrations.AddField(
            model_name="cataloguerevision",
            name="effect",
            field=models.CharField(
                choices=[
                    ("widened", "widened"),
                    ("narrowed", "narrowed"),
                    ("both", "widened and narrowed"),
                    ("neither", "neither"),
                ],
                editable=False,
                max_length=8,
                null=True,
                verbose_name="access",
            ),
        ),
    )
