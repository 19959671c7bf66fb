"""What views use: the container and the job engine of their app."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

from service.readiness import Readiness
from service.warming import WarmUp
from vitrine.wiring import Vitrine

if TYPE_CHECKING:
    from ingest.admin import Admin

__all__ = [
    "current_admin",
    "current_readiness",
    "current_vitrine",
    "current_warm_up",
    "put_vitrine",
    "warm_up_of",
]

_KEY = "vitrine"


class _Rooms:
    def __init__(self, vitrine: Vitrine, admin: Admin | None, warm_up: WarmUp | None) -> None:
        self.vitrine = vitrine
        self.warm_up = warm_up or WarmUp()
        self.readiness = Readiness(vitrine)
        self._admin = admin
        self._lock = threading.Lock()

    def admin(self) -> Admin:
        with self._lock:
            if self._admin is None:
                # here: a service that only answers searches stays small
                from ingest.admin import Admin

                self._admin = Admin(self.vitrine)
            return self._admin


def put_vitrine(
    app: Flask, vitrine: Vitrine, admin: Admin | None, warm_up: WarmUp | None = None
) -> None:
    """Give the app its container and, where a test has one, its job engine."""
    app.extensions[_KEY] = _Rooms(vitrine, admin, warm_up)


def current_vitrine() -> Vitrine:
    """The container of the app that handles the current request."""
    return _current().vitrine


def current_admin() -> Admin:
    """The job engine of the app, opened at first use."""
    return _current().admin()


def warm_up_of(app: Flask) -> WarmUp:
    """The state of the app's warm-up."""
    return cast(_Rooms, app.extensions[_KEY]).warm_up


def current_warm_up() -> WarmUp:
    """The warm-up state of the app that handles the current request."""
    return _current().warm_up


def current_readiness() -> Readiness:
    """The readiness check of the app that handles the current request."""
    return _current().readiness


def _current() -> _Rooms:
    return cast(_Rooms, current_app.extensions[_KEY])
