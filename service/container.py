"""What a view works with: the container and the job engine of the app it runs in."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

from vitrine.wiring import Vitrine

if TYPE_CHECKING:
    from ingest.admin import Admin

__all__ = ["current_admin", "current_vitrine", "is_warming", "put_vitrine", "set_warming"]

_KEY = "vitrine"


class _Rooms:
    def __init__(self, vitrine: Vitrine, admin: Admin | None) -> None:
        self.vitrine = vitrine
        self.warming = False
        self._admin = admin
        self._lock = threading.Lock()

    def admin(self) -> Admin:
        with self._lock:
            if self._admin is None:
                from ingest.admin import (
                    Admin,
                )  # here: a service that only answers searches stays small

                self._admin = Admin(self.vitrine)
            return self._admin


def put_vitrine(app: Flask, vitrine: Vitrine, admin: Admin | None) -> None:
    """Give the app its container and, where a test has one, its job engine."""
    app.extensions[_KEY] = _Rooms(vitrine, admin)


def current_vitrine() -> Vitrine:
    """The container of the app that handles the present request."""
    return _current().vitrine


def current_admin() -> Admin:
    """The job engine of the app, opened at first use."""
    return _current().admin()


def set_warming(app: Flask, warming: bool) -> None:
    """Note whether the model of the app is being loaded in the background."""
    cast(_Rooms, app.extensions[_KEY]).warming = warming


def is_warming() -> bool:
    """Whether the model is being loaded in the background."""
    return _current().warming


def _current() -> _Rooms:
    return cast(_Rooms, current_app.extensions[_KEY])
