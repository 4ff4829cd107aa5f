"""The roll-up's table. Older versions do not know it, and write the log alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("issuances", "0006_failed_authentications"),
    ]

    operations = [
        migrations.CreateModel(
            name="Rollup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "span",
                    models.CharField(choices=[("hour", "Hour"), ("day", "Day")], max_length=4),
                ),
                ("begin", models.DateTimeField()),
                ("dimension", models.CharField(max_length=16)),
                ("key", models.TextField(blank=True)),
                ("granted", models.PositiveBigIntegerField()),
                ("part", models.PositiveBigIntegerField()),
                ("refused", models.PositiveBigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("span", "dimension", "begin", "key"),
                        name="rollup_counts_a_key_once",
                    )
                ],
            },
        ),
    ]
