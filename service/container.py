"""What a view works with: the container and the job engine of the app it runs in."""

from __future__ import annotations

import threading
from importlib import import_module
from typing import cast

from flask import Flask, current_app

from service.admin_port import AdminPort
from vitrine.wiring import Vitrine

__all__ = ["current_admin", "current_vitrine", "is_warming", "put_vitrine", "set_warming"]

_KEY = "vitrine"


class _Rooms:
    def __init__(self, vitrine: Vitrine, admin: AdminPort | None) -> None:
        self.vitrine = vitrine
        self.warming = False
        self._admin = admin
        self._lock = threading.Lock()

    def admin(self) -> AdminPort:
        with self._lock:
            if self._admin is None:
                self._admin = cast(AdminPort, import_module("ingest.jobs").open_admin(self.vitrine))
            return self._admin


def put_vitrine(app: Flask, vitrine: Vitrine, admin: AdminPort | None) -> None:
    """Give the app its container and, where a test has one, its job engine."""
    app.extensions[_KEY] = _Rooms(vitrine, admin)


def current_vitrine() -> Vitrine:
    """The container of the app that handles the present request."""
    return _current().vitrine


def current_admin() -> AdminPort:
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
