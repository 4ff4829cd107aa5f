"""How long rows stay: monthly partitions, taking old rows out, archiving them before."""
