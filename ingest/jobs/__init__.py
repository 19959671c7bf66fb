"""Work in the background: jobs, their store, and what the workers do with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.jobs.locks import catalogue_lock
from ingest.jobs.opening import open_store

if TYPE_CHECKING:
    from ingest.admin import Admin
    from vitrine.wiring import Vitrine

__all__ = ["catalogue_lock", "open_admin", "open_store"]


def open_admin(vitrine: Vitrine) -> Admin:
    """What the admin endpoints call; opens the job store and nothing else."""
    from ingest.admin import Admin

    return Admin(vitrine)
