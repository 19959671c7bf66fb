"""The queue of invitations: huey tells workers that the job store has work for them.

A message says only "there is something to do", so one that is lost, doubled or late does no harm: the store holds the
work, and every worker looks there by itself from time to time.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from typing import Any

import redis
from huey import RedisHuey, SqliteHuey
from huey.registry import Message
from huey.serializer import Serializer

from ingest.jobs.factory import sqlite_path
from vitrine.settings import IngestSettings

__all__ = ["Queue"]

log = logging.getLogger(__name__)


class JsonSerializer(Serializer):  # type: ignore[misc]  # huey ships no types
    """Messages as JSON: huey's own pickle would let whoever can write to the queue run code in a worker."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(data).encode()

    def _deserialize(self, data: bytes) -> Any:
        return Message(*json.loads(data))


class Queue:
    """The queue that the settings name; `work` is what a worker does when it is invited."""

    def __init__(self, settings: IngestSettings, work: Callable[[], object] | None = None) -> None:
        path = sqlite_path(settings)
        options: dict[str, Any] = {"results": False, "serializer": JsonSerializer()}
        if path is None:
            self.huey = RedisHuey("vitrine", url=settings.queue_url, **options)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.huey = SqliteHuey(
                "vitrine",
                filename=str(path.with_name(f"{path.stem}-queue{path.suffix}")),
                timeout=30,
                **options,
            )
        self._work = work
        self._invitation = self.huey.task(name="work")(self._invited)

    def notify(self, count: int) -> None:
        """Ask for up to `count` more workers' attention; when the queue does not answer, they come by themselves a little later."""
        try:
            for _ in range(count - self.huey.storage.queue_size()):
                self._invitation()
        except (sqlite3.Error, redis.RedisError) as error:
            log.warning(
                "workers could not be told of new work, they will notice by themselves: %s", error
            )

    def close(self) -> None:
        """Release connections; may be called twice."""
        self.huey.storage.close()

    def _invited(self) -> None:
        if self._work is not None:
            self._work()
