"""The program that writes a snapshot of one version beside the searches of other processes.

`python -m vitrine.index.faiss.versions.snapshot_program FOLDER SETTINGS` ends with its standard
input, which is the process that has started it. It then leaves nothing behind; killed, it leaves
a folder that the next one removes.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

from vitrine.errors import VitrineError
from vitrine.index.faiss.index import FaissIndex
from vitrine.index.faiss.versions.versions import FaissVersions
from vitrine.settings import FaissSettings

_NICE = 10
"""Searches come first: where they take all cores, it has a tenth of one's time."""


def main(folder: Path, settings: FaissSettings) -> None:
    """Write it, unless the newest one is of what the version has now."""
    os.nice(_NICE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that searches
    # as an exception, upon which what is half written is removed
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=_end_with_input, daemon=True).start()
    versions = FaissVersions(folder.parent, settings)
    try:
        index = versions.open(folder.name)
        assert isinstance(index, FaissIndex)  # noqa: S101  # these versions have no other
        index.compact()
    except VitrineError as error:
        sys.exit(str(error))
    finally:
        versions.close()


def _end_with_input() -> None:
    os.read(0, 1)  # not by sys.stdin, whose lock Python cannot take back at its own end
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(Path(sys.argv[1]), FaissSettings(**json.loads(sys.argv[2])))
