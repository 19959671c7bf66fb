"""Behind a real nginx under a path of another site: by both conventions nothing leaves the path."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.integration.service.process import PATIENCE_S, ServiceProcess, attempts, free_port

PREFIX = "/shop-search"
TOKEN = "a-token-of-the-tests"
CONFIGURATION = """
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location {prefix}/ {{
            proxy_pass http://127.0.0.1:{service}{rest};
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto https;
            proxy_set_header X-Forwarded-Host shop.example;
            proxy_set_header X-Forwarded-Prefix {prefix};
        }}
        location / {{ return 418; }}
    }}
}}
"""


@contextmanager
def nginx(folder: Path, service: int, *, rest: str) -> Iterator[str]:
    """Passes the path on as `rest` says: "/" strips the prefix, nothing keeps it."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert program, "nginx is missing; install it (Debian: apt-get install nginx-light)"
    port = free_port()
    file = folder / "nginx.conf"
    file.write_text(
        CONFIGURATION.format(folder=folder, port=port, prefix=PREFIX, service=service, rest=rest)
    )
    with subprocess.Popen([program, "-c", str(file), "-g", "daemon off;"]) as process:
        try:
            for _ in attempts():
                assert process.poll() is None, (folder / "error.log").read_text()
                try:
                    if (
                        httpx.get(f"http://127.0.0.1:{port}/", timeout=PATIENCE_S).status_code
                        == 418
                    ):
                        break
                except httpx.TransportError:
                    continue
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def check(client: httpx.Client) -> None:
    """Follow every address that pages and answers hold."""
    for page in ("/", "/try", "/admin", "/docs"):
        html = client.get(f"{PREFIX}{page}").text
        written = re.findall(r'(?:href|src|action|data-root|data-spec)="([^"]*)"', html)
        own = [address for address in written if not address.startswith(("data:", "#"))]
        assert len(own) >= 4, page
        for address in own:
            path = address.removeprefix("https://shop.example").partition("#")[0]
            assert path.startswith(f"{PREFIX}/"), (page, address)
            assert client.get(path).status_code == 200, (page, address)
    hit = client.get(f"{PREFIX}/v1/search?limit=1").json()["hits"][0]
    assert hit["image_url"].removeprefix("https://shop.example").startswith(f"{PREFIX}/v1/")
    moved = client.get(f"{PREFIX}/product/red")
    assert moved.headers["Location"].startswith(f"{PREFIX}/?show=")
    queued = client.delete(
        f"{PREFIX}/v1/admin/products/none", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    job = queued.headers["Location"].removeprefix("https://shop.example")
    assert job.startswith(f"{PREFIX}/v1/admin/jobs/")
    assert client.get(job, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    servers = client.get(f"{PREFIX}/openapi.json").json()["servers"]
    assert servers[0]["url"].removeprefix("https://shop.example") == PREFIX
    assert client.get("/v1/search").status_code == 418


@pytest.mark.parametrize("rest", ["/", ""], ids=["stripped", "kept"])
@pytest.mark.parametrize("known_by", ["headers of a trusted proxy", "a public URL"])
def test_nothing_leaves_the_path(tmp_path: Path, rest: str, known_by: str):
    settings = {"admin_token": TOKEN, "trusted_proxies": "127.0.0.1"}
    if known_by == "a public URL":
        settings = {"admin_token": TOKEN, "public_url": f"https://shop.example{PREFIX}"}
    with (
        ServiceProcess(tmp_path, **settings) as service,
        nginx(tmp_path, service.port, rest=rest) as site,
    ):
        service.wait_until("/health/ready")
        with httpx.Client(base_url=site, timeout=PATIENCE_S) as client:
            check(client)
