"""Behind a real nginx under a path of another site: by both conventions nothing leaves the path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.service.process import PATIENCE_S, ServiceProcess
from tests.nginx_below import PREFIX, nginx_below
from tests.redis_server import free_port

TOKEN = "a-token-of-the-tests"
SITE = "https://shop.example"


def check(client: httpx.Client) -> None:
    """Follow every address that pages and answers hold."""
    for page in ("/", "/try", "/admin", "/docs"):
        html = client.get(f"{PREFIX}{page}").text
        written = re.findall(r'(?:href|src|action|data-root|data-spec)="([^"]*)"', html)
        own = [address for address in written if not address.startswith(("data:", "#"))]
        assert len(own) >= 4, page
        for address in own:
            path = address.removeprefix(SITE).partition("#")[0]
            assert path.startswith(f"{PREFIX}/"), (page, address)
            assert client.get(path).status_code == 200, (page, address)
    hit = client.get(f"{PREFIX}/v1/search?limit=1").json()["hits"][0]
    assert hit["image_url"].removeprefix(SITE).startswith(f"{PREFIX}/v1/")
    moved = client.get(f"{PREFIX}/product/red")
    assert moved.headers["Location"].startswith(f"{PREFIX}/?show=")
    queued = client.delete(
        f"{PREFIX}/v1/admin/products/none", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    job = queued.headers["Location"].removeprefix(SITE)
    assert job.startswith(f"{PREFIX}/v1/admin/jobs/")
    assert client.get(job, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    servers = client.get(f"{PREFIX}/openapi.json").json()["servers"]
    assert servers[0]["url"].removeprefix(SITE) == PREFIX
    assert client.get("/v1/search").status_code == 418


KNOWN_BY = {
    "headers of a trusted proxy": {"trusted_proxies": "127.0.0.1"},
    "a public URL": {"public_url": f"{SITE}{PREFIX}"},
}


@pytest.fixture(scope="module", params=KNOWN_BY)
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServiceProcess]:
    """A service that knows in one way where it is."""
    folder = tmp_path_factory.mktemp("service")
    with ServiceProcess(folder, admin_token=TOKEN, **KNOWN_BY[request.param]) as service:
        service.wait_until("/health/ready")
        yield service


@pytest.mark.parametrize("rest", ["/", ""], ids=["stripped", "kept"])
def test_nothing_leaves_the_path(tmp_path: Path, service: ServiceProcess, rest: str):
    with (
        nginx_below(tmp_path, service.port, port=free_port(), rest=rest, public=SITE) as site,
        httpx.Client(base_url=site, timeout=PATIENCE_S) as client,
    ):
        check(client)
