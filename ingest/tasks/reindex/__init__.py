"""Reindex: a new version is built beside the live one, catches up, is verified and published.

Its job runs in two stages. `fill`: one worker makes the version and cuts the live one into ranges
of ids while any number of workers copy them. `finish`: products written meanwhile are copied again
until few are left, the version is verified, writes are held for a moment while the last are copied,
and the version goes live in one step. Nothing but the job writes into the new version, and it
always copies what the live version says now; so an old state can neither overwrite a newer write
nor bring back a deleted product.
"""

from ingest.tasks.reindex.stages import discard_unfinished, first_items, next_items
from ingest.tasks.reindex.task import run_reindex_item

__all__ = ["discard_unfinished", "first_items", "next_items", "run_reindex_item"]
