"""Log lines of every program, for people or for machines."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from vitrine.settings import LogSettings

__all__ = ["configure_logging", "drop_own_handlers"]

_CHATTY = ("httpx", "httpcore", "urllib3", "filelock", "faiss.loader")
"""Libraries that tell at level info what only their authors want to know."""
_OF_PICTURES = "PIL"
"""Logs what is odd about a file at any level; that concerns whoever sent it, not the log."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request_id"}


def configure_logging(settings: LogSettings, *filters: logging.Filter) -> None:
    """Send all log lines of the process to standard error, as the settings say.

    A filter may give a line the id of the request it belongs to, as its attribute `request_id`.
    """
    handler = logging.StreamHandler(sys.stderr)
    for line_filter in filters:
        handler.addFilter(line_filter)
    handler.setFormatter(_JsonLines() if settings.log_format == "json" else _HumanLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.getLogger(_OF_PICTURES).setLevel(logging.CRITICAL)


def drop_own_handlers(*libraries: str) -> None:
    """Leave what imported libraries log to the program's handler alone.

    They print it themselves as well: every line came twice, once as plain text among those in JSON.
    """
    for name in libraries:
        logging.getLogger(name).handlers.clear()


class _HumanLines(logging.Formatter):
    """`12:34:56 info     GET /v1/search 200 12.3 ms [id]`"""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the stack trace beneath it where there is one."""
        when = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        request_id = getattr(record, "request_id", "")
        line = f"{when} {record.levelname.lower():<8} {_on_one_line(record.getMessage())}" + (
            f" [{request_id}]" if request_id else ""
        )
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _on_one_line(text: str) -> str:
    """The text with what could begin another line, or move the cursor, written out.

    Names of files and fields come from elsewhere; none of them is to look like a line of its own.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


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
            line["request_id"] = record.request_id  # type: ignore[attr-defined]  # set by a filter
        line.update({name: value for name, value in vars(record).items() if name not in _STANDARD})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
