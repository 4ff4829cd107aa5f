"""Rows as files: streams of NDJSON and CSV, and the signed manifest beside them."""
