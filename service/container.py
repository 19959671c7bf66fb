"""What a view works with: the container of the app it runs in."""

from __future__ import annotations

from flask import Flask, current_app

from vitrine.wiring import Vitrine

__all__ = ["current_vitrine", "put_vitrine"]

_KEY = "vitrine"


def put_vitrine(app: Flask, vitrine: Vitrine) -> None:
    """Give the app its container."""
    app.extensions[_KEY] = vitrine


def current_vitrine() -> Vitrine:
    """The container of the app that handles the present request."""
    found: Vitrine = current_app.extensions[_KEY]
    return found
