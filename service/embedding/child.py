"""The embedder that a service with several processes starts for itself."""

from __future__ import annotations

import logging
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from service.embedding.unix_socket import listen_at
from service.gunicorn_settings import METRICS_FOLDER
from vitrine.errors import InvalidSettings
from vitrine.settings import PREFIX, Settings
from vitrine.storage.owned_folder import OwnedFolder
from vitrine.unix_sockets import LONGEST_PATH, UNIX
from vitrine.wiring import Vitrine

__all__ = ["EmbedderChild", "embedder_beside"]

log = logging.getLogger(__name__)

COMMAND = ("-c", "from vitrine.cli import main; main()", "embedder")
"""Arguments of Python."""
_FOLDER, _SOCKET = "vitrine-embedder-", "socket"
_RANDOM = 8
"""Characters that `tempfile` adds to a folder's name."""
_PAUSE_S = 1.0
"""Between two starts, so that an embedder that dies at once costs no core."""
_GRACE_S = 10.0
_REFUSED = 2
"""The exit status of a command that has printed its reason in a sentence."""
_MOST_THREADS = 64
"""Two batches of queries: one that runs, one that waits; other requests wait in the queue."""


class EmbedderChild:
    """A `vitrine embedder` that only this user can reach, started again when it dies.

    Its socket stays with this process: what is asked while there is no embedder waits for the next
    one. It ends when this process is gone, by whatever end that came to; the folder of a socket
    whose process was killed is removed by the next start. `OSError` when there can be none.
    """

    def __init__(self, settings: Settings) -> None:
        self._folder = OwnedFolder(_FOLDER, _parent())
        self._path = self._folder.path / _SOCKET
        try:
            self._listening = listen_at(self._path)
        except OSError:
            self._folder.remove()
            raise
        self._alive, self._life = os.pipe()
        self._token = secrets.token_urlsafe(32)
        self._threads = min(settings.workers * settings.threads, _MOST_THREADS)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = -_PAUSE_S
        self.refused = False
        """Whether the first start ended with a sentence that says why none will do."""

    def named_in(self, settings: Settings) -> Settings:
        """The settings with which the model is reached."""
        token = type(settings.embedder_token)(self._token)
        return settings.model_copy(
            update={"embedder_url": f"{UNIX}{self._path}", "embedder_token": token}
        )

    def tend(self) -> None:
        """Start it where it does not run."""
        if self._process is not None and self._process.poll() is None:
            return
        if self._process is not None:
            code = self._process.returncode
            log.warning("the embedder exited with status %s; restarting it", code)
            self.refused = code == _REFUSED and not self._served
            self._process = None
        if self.refused or monotonic() - self._started < _PAUSE_S:
            return
        self._started = monotonic()
        inherited = (self._listening.fileno(), self._alive)
        environment = {name: value for name, value in os.environ.items() if name != METRICS_FOLDER}
        environment[f"{PREFIX}EMBEDDER_TOKEN"] = self._token
        flags = ("--threads", str(self._threads), "--fd", *map(str, inherited))
        self._process = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, *COMMAND, *flags],
            pass_fds=inherited,
            env=environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C ends the service first, which still needs it
        )

    def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._listening.close()
        self._folder.remove()
        os.close(self._alive)
        os.close(self._life)

    @property
    def _served(self) -> bool:
        """Whether it has run for so long that its model was there."""
        return monotonic() - self._started > 60 * _PAUSE_S


def _parent() -> Path:
    """The temporary folder of this user, or the system's where a socket's path would be too long in
    it."""
    parent = Path(tempfile.gettempdir())
    length = len(os.fsencode(parent / f"{_FOLDER}{'x' * _RANDOM}" / _SOCKET))
    return parent if length <= LONGEST_PATH else Path("/tmp")  # noqa: S108  # mode 0700


@contextmanager
def embedder_beside(vitrine: Vitrine) -> Iterator[EmbedderChild | None]:
    """An embedder for the serving processes, where there are several and they would each load the
    model; the container then reaches its model there.

    `InvalidSettings` when the temporary folder takes no socket.
    """
    settings = vitrine.settings
    if settings.workers == 1 or settings.embedder_url or not vitrine.loads_models:
        yield None
        return
    try:
        owner, child = os.getpid(), EmbedderChild(settings)
    except OSError as error:
        raise InvalidSettings.of(
            "TMPDIR",
            f"has no room for the embedder's socket ({error.strerror}); name a folder to which this"
            f" user may write, or set {PREFIX}WORKERS to 1",
        ) from None
    vitrine.settings = child.named_in(settings)
    child.tend()
    try:
        yield child
    finally:
        if os.getpid() == owner:  # a serving process leaves this way too
            child.stop()
