"""The HTTP service: the JSON API, the admin API, the pages, and how they are served."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from ingest.admin import Admin
    from vitrine.wiring import Vitrine

__all__ = ["create_app"]


def create_app(vitrine: Vitrine, *, admin: Admin | None = None) -> Flask:
    """A new Flask application over the container; nothing is loaded or opened yet.

    `admin` is the job engine behind the admin API; without it one is opened at the first admin
    request.
    """
    # here, so that the process that only starts serving processes stays small
    from service.app import build

    return build(vitrine, admin=admin)
