"""Unix sockets that only their own user may open."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

__all__ = ["listen_at"]

_BACKLOG = 2048
_PROBE_S = 5.0


def listen_at(path: Path) -> socket.socket:
    """A socket that listens at the path, in place of one that nobody listens at any more.

    `OSError` when another process listens there, or the path cannot be had.
    """
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if path.is_socket() and not _answers(path):
            path.unlink(missing_ok=True)
        listening.bind(str(path))
        os.chmod(path, 0o600)  # before it listens nobody is let in
        listening.listen(_BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_S)
        try:
            probe.connect(str(path))
        except OSError as error:
            return error.errno != errno.ECONNREFUSED
    return True
