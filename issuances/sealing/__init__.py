"""Seals of the log: making them, proving a row, and finding what was altered since."""
