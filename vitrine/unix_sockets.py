"""How a Unix socket is named, in settings and to the system."""

from __future__ import annotations

import os
import re

__all__ = ["LONGEST_PATH", "UNIX", "is_socket_path"]

UNIX = "unix:"
"""Before the path of a Unix socket in an address, as gunicorn, nginx and gRPC have it."""
LONGEST_PATH = 107
"""Bytes of the path at most, as unix(7) has it: one of the 108 ends it."""


def is_socket_path(path: str) -> bool:
    """Whether a Unix socket can have the path: it is absolute, and not too long."""
    return bool(re.match("/[^/]", path)) and len(os.fsencode(path)) <= LONGEST_PATH
