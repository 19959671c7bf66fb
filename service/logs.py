"""Log lines for people or for machines, each with the id of the request it belongs to."""

from __future__ import annotations

import logging
from urllib.parse import quote

from flask import Flask, Response, g, has_request_context, request

from service.headers import elapsed_ms
from vitrine.logs import configure_logging
from vitrine.settings import LogSettings

__all__ = ["configure_service_logging", "register_access_log"]

access = logging.getLogger("service.access")


def configure_service_logging(settings: LogSettings) -> None:
    """Set up the log lines of a serving process: those of a request carry its id."""
    configure_logging(settings, _RequestId())


class _RequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        """Note the request that the line belongs to."""
        if not hasattr(record, "request_id"):
            record.request_id = g.get("request_id", "") if has_request_context() else ""
        return True


def register_access_log(app: Flask) -> None:
    """Log one line for every answer: method, path, status and time, but never the query."""
    app.after_request(_log_answer)


def _log_answer(response: Response) -> Response:
    quiet = request.path.startswith(("/health", "/metrics", "/assets"))
    level = logging.DEBUG if quiet and response.status_code < 400 else logging.INFO
    if not access.isEnabledFor(level):
        return response
    path = quote(request.path, safe="/%:@,+~")
    seen = {
        "method": request.method,
        "path": path,
        "status": response.status_code,
        "ms": round(elapsed_ms(), 1),
    }
    access.log(
        level,
        "%(method)s %(path)s %(status)s %(ms)s ms",
        seen,
        extra={**seen, "client": request.remote_addr},
    )
    return response
