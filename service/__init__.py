"""The HTTP service: the JSON API, the admin API, the pages, and how they are served."""

from service.app import create_app

__all__ = ["create_app"]
