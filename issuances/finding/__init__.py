"""Finding rows of the log: the filter, its conditions and indexes, pages bounded in time."""
