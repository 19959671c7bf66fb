"""What the parts of the job store in Redis ask of it.

Changes are operations of `redis_store.lua`, each one step; reads are plain commands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry as Reconnect

from vitrine.errors import StorageUnavailable

__all__ = ["ANSWER_S", "RedisConnection"]

_PREFIX = "{vitrine}:"
"""Before every key; the braces put all keys into one slot of a Redis cluster."""
_FORMAT = "2"
ANSWER_S = 10.0
"""Seconds that Redis may take to answer."""


class RedisConnection:
    """One server's keys; `StorageUnavailable` wherever it does not answer."""

    def __init__(self, url: str) -> None:
        # One more try after a broken connection: no change does harm when it runs twice.
        self._client = redis.Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
            health_check_interval=30,
            retry=Reconnect(ConstantBackoff(0.2), 1),
        )
        text = files("ingest.jobs").joinpath("redis_store.lua").read_text("utf-8")
        self._script = self._client.register_script(text)
        self._checked = False

    def close(self) -> None:
        self._client.close()

    def _change(self, operation: str, **args: Any) -> Any:
        """Run an operation of the script in one step; its answer."""
        self._check_format()
        with _errors_translated():
            return json.loads(self._script(keys=[_PREFIX], args=[operation, json.dumps(args)]))

    def _read(self, command: str, key: str, *args: Any, **options: Any) -> Any:
        """The answer to a plain command of redis-py about one key."""
        self._check_format()
        return self._send(command, key, *args, **options)

    def _send(self, command: str, key: str, *args: Any, **options: Any) -> Any:
        with _errors_translated():
            return getattr(self._client, command)(_PREFIX + key, *args, **options)

    def _check_format(self) -> None:
        """Note the format in an empty store; refuse one that an earlier release has filled."""
        if self._checked:
            return
        if self._send("setnx", "format", _FORMAT) and self._send("exists", "seq"):
            self._send("delete", "format")
        stored = self._send("get", "format")
        if stored != _FORMAT:
            raise StorageUnavailable(
                f"the job store in Redis was written by another release (format {stored or 1}; this"
                f" release knows {_FORMAT}); let a worker of that release finish its jobs, then"
                f" remove the keys {_PREFIX}*"
            )
        self._checked = True

    def _now(self) -> float:
        """Seconds since 1970 by the server's clock, which all machines share."""
        with _errors_translated():
            seconds, microseconds = self._client.time()
        return float(seconds) + float(microseconds) / 1e6

    def _names(self, pattern: str) -> list[str]:
        """The keys that fit a pattern, found in steps that keep nobody waiting."""
        with _errors_translated():
            names = self._client.scan_iter(match=_PREFIX + pattern, count=1000)
            return [name.removeprefix(_PREFIX) for name in names]

    def _hash(self, key: str) -> dict[str, str]:
        """The fields of a hash; empty where there is none."""
        fields: dict[str, str] = self._read("hgetall", key)
        return fields

    def _many(self, command: str, keys: Sequence[str], *args: Any) -> list[Any]:
        """The same command for several keys, in one exchange."""
        with _errors_translated(), self._client.pipeline(transaction=False) as pipe:
            for key in keys:
                getattr(pipe, command)(_PREFIX + key, *args)
            return list(pipe.execute())


@contextmanager
def _errors_translated() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        raise StorageUnavailable(f"the job store in Redis cannot answer now: {error}") from error
