"""Log lines of the worker and the supervisor, for people or for machines."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from vitrine.settings import LogSettings

__all__ = ["configure_logging"]

_CHATTY = ("httpx", "httpcore", "urllib3", "PIL", "filelock")


def configure_logging(settings: LogSettings) -> None:
    """Send all log lines of the process to standard error, in the format and from the level of the settings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines() if settings.log_format == "json" else _HumanLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name in _CHATTY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


class _HumanLines(logging.Formatter):
    """`12:34:56 info     worker started with 2 threads`"""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the stack trace beneath it where there is one."""
        line = f"{datetime.fromtimestamp(record.created).astimezone():%H:%M:%S} {record.levelname.lower():<8} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
