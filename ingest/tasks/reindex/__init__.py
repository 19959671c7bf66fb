"""Reindex: planned in ranges, copied by any number of workers, verified and published."""
