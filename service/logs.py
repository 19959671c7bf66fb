"""Log lines for people or for machines, each with the id of the request it belongs to."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, g, has_request_context, request

from service.headers import elapsed_ms
from vitrine.settings import LogSettings

__all__ = ["configure_logging", "register_access_log"]

access = logging.getLogger("service.access")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request_id"}


def configure_logging(settings: LogSettings) -> None:
    """Send all log lines of the process to standard error, as the settings say."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_add_request_id)
    handler.setFormatter(_JsonLines() if settings.log_format == "json" else _HumanLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for chatty in ("httpx", "httpcore", "urllib3", "PIL", "filelock", "faiss.loader"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


def register_access_log(app: Flask) -> None:
    """Log one line for every answer: method, path, status and time; never what was asked for."""
    app.after_request(_log_answer)


def _log_answer(response: Response) -> Response:
    path = quote(request.path, safe="/%:@,+~")
    seen = {
        "method": request.method,
        "path": path,
        "status": response.status_code,
        "ms": round(elapsed_ms(), 1),
    }
    level = (
        logging.DEBUG
        if path.startswith(("/health", "/metrics", "/static")) and response.status_code < 400
        else logging.INFO
    )
    access.log(
        level,
        "%(method)s %(path)s %(status)s %(ms)s ms",
        seen,
        extra={**seen, "client": request.remote_addr},
    )
    return response


def _add_request_id(record: logging.LogRecord) -> bool:
    if not hasattr(record, "request_id"):
        record.request_id = g.get("request_id", "") if has_request_context() else ""
    return True


class _HumanLines(logging.Formatter):
    """`12:34:56 info     GET /v1/search 200 12.3 ms [id]`"""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the stack trace beneath it where there is one."""
        when = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        request_id = getattr(record, "request_id", "")
        line = f"{when} {record.levelname.lower():<8} {record.getMessage()}" + (
            f" [{request_id}]" if request_id else ""
        )
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; what the caller gave as `extra` are fields of their own."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if getattr(record, "request_id", ""):
            # the filter sets it
            line["request_id"] = record.request_id  # type: ignore[attr-defined]
        line.update({name: value for name, value in vars(record).items() if name not in _STANDARD})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
