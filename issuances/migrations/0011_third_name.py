from django.db import migrations, models

from issuances import concurrently, expressions


class Migration(migrations.Migration):
    atomic = False  # indexes are built while the service writes rows

    dependencies = [
        ("issuances", "0010_late_seals"),
    ]

    operations = [
        # The new ones first: no question is without an index in between.
        concurrently.AddIndex(
            model_name="issuance",
            index=models.Index(
                expressions.ThirdName(),
                models.F("id"),
                condition=models.Q(expressions.AskedMany()),
                name="issuance_third_name",
            ),
        ),
        concurrently.AddIndex(
            model_name="issuance",
            index=models.Index(
                expressions.AskedMore(),
                models.F("id"),
                condition=models.Q(expressions.AskedMore()),
                name="issuance_more",
            ),
        ),
        concurrently.RemoveIndex(
            model_name="issuance",
            name="issuance_many",
        ),
    ]
