"""What the service says of a Qdrant in trouble: not ready, with the reason.

Problem documents before Qdrant would have answered; and well again by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from flask.testing import FlaskClient

from service import create_app
from tests.integration.qdrant.engine import Engine
from tests.integration.qdrant.grpc_server import Trouble, serve
from tests.redis_server import free_port
from tests.shop import OLD, Shop, open_shop
from tests.support.waiting import until
from vitrine.index.qdrant.pointer import FRESH_FOR_S

pytestmark = pytest.mark.timeout(600)  # a busy machine is slow

COUNT = 5
AWAIT_S = 120
"""Far longer than anything here takes: so long a trouble lasts that is not ended before."""


@dataclass
class Site:
    """The service over a published version on a server that can be troubled, stopped and
    started."""

    client: FlaskClient
    impatient: FlaskClient
    """Of a service that waits for Qdrant for one second only."""
    shop: Shop
    engine: Engine
    trouble: Trouble
    start: Callable[[], None]
    stop: Callable[[], None]

    def fail_with(self, code: str, details: str) -> None:
        self.trouble.before = lambda context: context.abort(getattr(grpc.StatusCode, code), details)

    def refuses(self, address: str) -> dict[str, Any]:
        """The problem document that an address answers with."""
        response = self.client.get(address)
        assert (response.status_code, response.content_type) == (503, "application/problem+json"), (
            response.get_data(as_text=True)
        )
        assert int(response.headers["Retry-After"]) > 0
        return dict(response.get_json())

    def await_recovery(self) -> None:
        """Wait until the service answers again, with nothing opened anew."""

        def answers() -> bool:
            if self.client.get("/health/ready").status_code != 200:
                return False
            page = self.client.get("/v1/search?q=red&limit=2")
            if page.status_code != 200:
                return False
            assert page.get_json()["total"] == COUNT
            return True

        until(answers, "the service answers again")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    port, trouble = free_port(), Trouble()
    trouble.key = "right"
    with ExitStack() as ended, closing(Engine()) as engine:
        running = ended.enter_context(ExitStack())

        def start() -> None:
            running.enter_context(serve(engine, port=port, trouble=trouble))

        start()
        qdrant: dict[str, Any] = {
            "qdrant_url": "http://127.0.0.1:1",
            "qdrant_grpc_port": port,
            "qdrant_api_key": "right",
        }
        shop, impatient = (
            open_shop(
                tmp_path,
                backend="qdrant",
                model=OLD,
                qdrant_timeout_s=seconds,
                qdrant_write_timeout_s=AWAIT_S,
                **qdrant,
            )
            for seconds in (AWAIT_S, 1)
        )
        ended.callback(shop.vitrine.close)
        ended.callback(impatient.vitrine.close)
        shop.publish_first(COUNT)
        client, other = (create_app(each.vitrine).test_client() for each in (shop, impatient))
        made = Site(client, other, shop, engine, trouble, start, running.close)
        made.await_recovery()
        yield made


def down(site: Site) -> Callable[[], object]:
    site.stop()
    return site.start


def slow(site: Site) -> Callable[[], object]:
    released = threading.Event()
    site.trouble.before = lambda context: released.wait(AWAIT_S)
    patient, site.client = site.client, site.impatient

    def mend() -> None:
        released.set()
        site.client = patient

    return mend


def wrong_key(site: Site) -> Callable[[], object]:
    site.trouble.key = "another"
    return lambda: setattr(site.trouble, "key", "right")


def full_disk(site: Site) -> Callable[[], object]:
    site.fail_with("INTERNAL", "Service internal error: No space left on device (os error 28)")
    return lambda: setattr(site.trouble, "before", lambda context: None)


def missing_alias(site: Site) -> Callable[[], object]:
    name = site.shop.vitrine.versions.live().info.name
    site.engine.aliases.clear()
    time.sleep(FRESH_FOR_S)
    return lambda: site.shop.vitrine.versions.publish(name)


def deleted_collection(site: Site) -> Callable[[], object]:
    site.engine.delete(site.engine.aliases["vitrine-live"])
    time.sleep(FRESH_FOR_S)
    return lambda: site.shop.publish_first(COUNT)


@pytest.mark.parametrize(
    ("happens", "words"),
    [
        (down, ["Qdrant cannot be reached at http://", "VITRINE_QDRANT_URL"]),
        (slow, ["did not answer in time", "VITRINE_QDRANT_TIMEOUT_S"]),
        (wrong_key, ["refuses the key", "VITRINE_QDRANT_API_KEY"]),
        (full_disk, ["disk is full", "free space"]),
        (missing_alias, ["no index version is live", "vitrine versions"]),
        (deleted_collection, ["no index version is live", "vitrine ingest"]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_ready_says_why_searches_answer_problems_and_all_recovers_by_itself(
    site: Site, happens: Callable[[Site], Callable[[], object]], words: list[str]
):
    mend = happens(site)
    # a check that is merely slow leaves a service ready for a while (tests of readiness)
    probes = [] if happens is slow else ["/health/ready"]
    for address in (
        *probes,
        "/v1/search?q=red",
        "/v1/search?sort=price",
        "/v1/products/p00001",
    ):
        problem = site.refuses(address)
        assert problem["type"] in (
            "urn:vitrine:problem:index-unavailable",
            "urn:vitrine:problem:no-live-version",
        )
        assert all(word in problem["detail"] for word in words), problem
    assert site.client.get("/health/live").status_code == 200
    mend()
    site.await_recovery()
