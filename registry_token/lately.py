"""What "lately" means to administrators: who used what, and who would lose it."""

from datetime import timedelta

PERIOD = timedelta(days=30)
