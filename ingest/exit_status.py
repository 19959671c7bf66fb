"""Exit statuses of the commands that change the index, beside 0, 1 and 2."""

__all__ = ["INTERRUPTED", "NOTHING_CHANGED"]

INTERRUPTED = 130
"""After Ctrl-C, as shells have it."""

NOTHING_CHANGED = 3
"""The source was not to be trusted, so nothing was changed: more live products would have gone
than may, it is empty, or it cannot be fetched from its address."""
