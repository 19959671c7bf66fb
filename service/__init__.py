"""The HTTP service: the JSON API, the admin API, the pages, and how they are served."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from ingest.admin import Admin
    from service.warming import WarmUp
    from vitrine.wiring import Vitrine

__all__ = ["create_app"]


def create_app(
    vitrine: Vitrine, *, admin: Admin | None = None, warm_up: WarmUp | None = None
) -> Flask:
    """A new Flask application over the container, which loads and opens nothing yet.

    `admin` is the job engine behind the admin API; without it one is opened at the first admin
    request. `warm_up` says how far loading is that goes on beside; without it nothing is waited
    for.
    """
    # here, so that the process that only starts serving processes stays small
    from service.app import build

    return build(vitrine, admin=admin, warm_up=warm_up)
