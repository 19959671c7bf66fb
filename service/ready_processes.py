"""Which serving processes are ready: new connections are theirs, once there is one."""

from __future__ import annotations

import fcntl
import tempfile

__all__ = ["ReadyProcesses"]


class ReadyProcesses:
    """A record lock (fcntl(2)) that the ready processes share.

    Made before the fork. The kernel gives the lock of a process back, however that ends.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the processes live

    def join(self) -> None:
        """Count this process among the ready ones, until it ends."""
        fcntl.lockf(self._file, fcntl.LOCK_SH)

    def has_other(self) -> bool:
        """Whether another process is ready; asked by one that is not."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        fcntl.lockf(self._file, fcntl.LOCK_UN)
        return False
