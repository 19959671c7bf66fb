"""A real nginx that serves a service below a path of another site."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.waiting import until

__all__ = ["PREFIX", "nginx_below"]

PREFIX = "/shop-search"
PATIENCE_S = 240
ELSEWHERE = 418
"""The status of everything beside the path."""
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
            proxy_set_header X-Forwarded-Proto {scheme};
            proxy_set_header X-Forwarded-Host {host};
            proxy_set_header X-Forwarded-Prefix {prefix};
        }}
        location / {{ return {elsewhere}; }}
    }}
}}
"""


@contextmanager
def nginx_below(
    folder: Path, service_port: int, *, port: int, rest: str, public: str | None = None
) -> Iterator[str]:
    """Serves the service below `PREFIX` until the block ends, and gives its own address.

    `rest` "/" takes the prefix off the path, "" leaves it there. `public` is what clients call the
    site, such as https://shop.example; by default they come to nginx itself.
    """
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert program, "nginx is missing; install it (Debian: apt-get install nginx-light)"
    address = f"http://127.0.0.1:{port}"
    scheme, _, host = (public or address).partition("://")
    file = folder / "nginx.conf"
    file.write_text(
        CONFIGURATION.format(
            folder=folder,
            port=port,
            prefix=PREFIX,
            service=service_port,
            rest=rest,
            scheme=scheme,
            host=host,
            elsewhere=ELSEWHERE,
        )
    )
    with subprocess.Popen([program, "-c", str(file), "-g", "daemon off;"]) as process:
        try:
            _wait(process, address, folder / "error.log")
            yield address
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return httpx.get(f"{address}/", timeout=PATIENCE_S).status_code == ELSEWHERE
        except httpx.TransportError:
            return False

    until(answers, "nginx answers")
