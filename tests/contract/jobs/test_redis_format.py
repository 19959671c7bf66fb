"""What an earlier release left in Redis is refused in words."""

from __future__ import annotations

import pytest
import redis

from ingest.jobs.redis_store import RedisStore
from vitrine.errors import StorageUnavailable


def test_keys_of_an_earlier_release_are_refused_and_left_as_they_are(redis_url: str):
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        client.flushall()
        client.set("{vitrine}:seq", "7")
        store = RedisStore(redis_url)
        for _ in range(2):
            with pytest.raises(StorageUnavailable, match=r"another release .format 1;.* 2.; let a"):
                store.jobs(limit=1)
        store.close()
        assert client.keys("*") == ["{vitrine}:seq"]


def test_an_empty_redis_gets_this_releases_format(redis_url: str):
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        client.flushall()
        store = RedisStore(redis_url)
        assert store.jobs(limit=1) == []
        store.close()
        assert client.get("{vitrine}:format") == "2"
