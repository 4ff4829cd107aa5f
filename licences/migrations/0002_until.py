"""The end of a revocation, and who revoked. An older version goes on without: it knows no end, so
it refuses rather longer than not.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("licences", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="revokedlicence",
            name="until",
            field=models.DateTimeField(
                blank=True,
                help_text="From then on it no longer counts (UTC); empty: it counts for ever",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="revokedlicence",
            name="revoked_by",
            field=models.CharField(db_default="", default="", editable=False, max_length=255),
        ),
    ]
