"""The proxy of the stack: its own configuration, run by a real nginx in front of a small
service."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from service import create_app
from tests.redis_server import free_port
from tests.support.waiting import until
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "deploy" / "nginx"
PATIENCE_S = 240
COSTLY = "rate=5r/s;"


class Service(BaseHTTPRequestHandler):
    """Answers with what it was asked, and counts."""

    requests: list[tuple[str, dict[str, str], int]]

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.requests.append((self.path, dict(self.headers), len(body)))
        answer = json.dumps({"path": self.path, "filling": "x" * 4000}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "public, max-age=31536000, immutable")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_GET  # noqa: N815  # named by http.server

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def service() -> Iterator[ThreadingHTTPServer]:
    handler = type("Recording", (Service,), {"requests": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def proxy(folder: Path, service_port: int, *, rate: str = COSTLY) -> Iterator[str]:
    """Nginx with the stack's files; only addresses and folders are those of this machine, and the
    rate of costly requests may be another."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert program, "nginx is missing; install it (Debian: apt-get install nginx-light)"
    port = free_port()
    places = {
        "/tmp/": f"{folder}/",  # first: the others' places lie there too
        "/etc/nginx/vitrine.conf": str(folder / "vitrine.conf"),
        "/etc/nginx/servers/": f"{folder}/servers/",
        "/dev/stdout": str(folder / "access.log"),
        "/dev/stderr": str(folder / "error.log"),
        "listen 8080;": f"listen 127.0.0.1:{port};",
        "http://service:8000": f"http://127.0.0.1:{service_port}",
        COSTLY: rate,
    }
    for name in ("nginx.conf", "vitrine.conf"):
        text = (CONFIGURATION / name).read_text()
        for place, here in places.items():
            text = text.replace(place, here)
        (folder / name).write_text(text)
    command = [program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    user = "user root;" if os.geteuid() == 0 else ""  # otherwise nobody, who may not read here
    process = subprocess.Popen([*command, "-g", f"daemon off; {user}"])
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/proxy-health", process)
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    def answers() -> bool:
        assert process.poll() is None
        try:
            return httpx.get(url, timeout=PATIENCE_S).status_code == 204
        except httpx.TransportError:
            return False

    until(answers, f"{url} answers")


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[tuple[str, type[Service]]]:
    with service() as server, proxy(tmp_path, server.server_port) as url:
        yield url, server.RequestHandlerClass  # type: ignore[misc]


def test_what_a_client_claims_about_its_origin_does_not_get_through(
    stack: tuple[str, type[Service]],
):
    url, seen = stack
    claims = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Host": "evil", "X-Forwarded-Prefix": "/x"}
    assert httpx.get(f"{url}/v1/search?q=a", headers=claims).status_code == 200
    path, headers, _ = seen.requests[0]
    assert path == "/v1/search?q=a"
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert headers["X-Forwarded-Host"] == headers["Host"] == url.removeprefix("http://")
    assert headers["X-Forwarded-Proto"] == "http"
    assert "X-Forwarded-Prefix" not in headers


def test_a_client_that_asks_too_often_is_told_to_wait(tmp_path: Path):
    """Five in a minute instead of in a second, so that a slow machine asks too often as well."""
    with (
        service() as server,
        proxy(tmp_path, server.server_port, rate="rate=5r/m;") as url,
        httpx.Client(timeout=PATIENCE_S) as client,
    ):
        answers: list[httpx.Response] = []
        began = time.monotonic()
        while [answer.status_code for answer in answers].count(429) < 10:
            answers.append(client.post(f"{url}/v1/classify", content=b"{}"))
        minutes = (time.monotonic() - began) / 60
        seen = server.RequestHandlerClass.requests  # type: ignore[attr-defined]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert 20 <= len(seen) <= 22 + 5 * minutes, "five a minute, and twenty at once"
        assert len(seen) == len(answers) - len(refused)
        assert refused[0].headers["Content-Type"] == "application/problem+json"
        assert refused[0].headers["Retry-After"] == "1"
        assert refused[0].json()["type"] == "urn:vitrine:problem:too-many-requests"
        assert client.get(f"{url}/health/live").status_code == 200


def test_the_service_sees_a_slow_body_only_when_it_is_whole(stack: tuple[str, type[Service]]):
    url, seen = stack
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as client:
        client.sendall(b"POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
        time.sleep(0.5)
        assert seen.requests == []
        client.sendall(b"cd")
        assert client.recv(15) == b"HTTP/1.1 200 OK"
    assert [size for _, _, size in seen.requests] == [4]


def test_metrics_stay_inside(stack: tuple[str, type[Service]]):
    url, seen = stack
    assert httpx.get(f"{url}/metrics").status_code == 404
    assert seen.requests == []


def test_assets_are_kept_and_json_is_compressed(stack: tuple[str, type[Service]]):
    url, seen = stack
    for _ in range(3):
        assert httpx.get(f"{url}/assets/abc/shop.js").status_code == 200
    assert len(seen.requests) == 1
    with httpx.stream("GET", f"{url}/v1/search?q=a", headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(raw))["path"] == "/v1/search?q=a"


def test_a_body_that_is_too_large_is_refused_before_the_service_sees_it(
    stack: tuple[str, type[Service]],
):
    url, seen = stack
    answer = httpx.post(f"{url}/v1/search", content=b"x" * (34 << 20), timeout=PATIENCE_S)
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:vitrine:problem:too-large"
    assert seen.requests == []


def test_every_address_that_costs_something_has_a_rate(tmp_path: Path):
    """Of the API's addresses only those that read what is at hand have none."""
    assert f"zone=costly:10m {COSTLY}" in (CONFIGURATION / "nginx.conf").read_text()
    text = (CONFIGURATION / "vitrine.conf").read_text()
    rates = re.findall(r"location ~ (\S+) \{\s+limit_req zone=(\w+)", text)
    free = {"/v1/fields", "/v1/suggest", "/v1/facets/{field}"}
    app = create_app(Vitrine(Settings(model="fake", data_dir=tmp_path)))
    paths = [path for path in app.api_doc["paths"] if path.startswith("/v1/")]
    assert len(paths) > 15
    unlimited = {path for path in paths if not any(re.match(rule, path) for rule, _ in rates)}
    assert unlimited == free
    costly = next(rule for rule, zone in rates if zone == "costly")
    for path in ("/v1/classify", "/v1/detect", "/v1/similarity", "/v1/pictures", "/v1/admin/jobs"):
        assert re.match(costly, path)


def test_a_service_that_is_away_is_a_503_with_a_time_to_try_again(tmp_path: Path):
    with proxy(tmp_path, free_port()) as url:
        answer = httpx.get(f"{url}/v1/search?q=a")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.json()["type"] == "urn:vitrine:problem:unavailable"


def test_the_tls_server_is_read_by_nginx(tmp_path: Path):
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert program
    key = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=a",
    ]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "certificate.pem")]
    subprocess.run([*key, *files], check=True, capture_output=True, timeout=PATIENCE_S)
    server = (CONFIGURATION / "tls.conf").read_text()
    server = server.replace("    http2 on;\n", "")  # Debian's nginx is older than this word
    server = server.replace("/etc/nginx/tls/", f"{tmp_path}/")
    server = server.replace("/etc/nginx/vitrine.conf", str(CONFIGURATION / "vitrine.conf"))
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; events {{}} http {{ resolver 127.0.0.1;"
        f"proxy_cache_path {tmp_path}/c keys_zone=assets:1m;"
        "limit_req_zone $binary_remote_addr zone=search:1m rate=20r/s;"
        "limit_req_zone $binary_remote_addr zone=costly:1m rate=5r/s;"
        f"limit_conn_zone $binary_remote_addr zone=clients:1m; {server} }}"
    )
    command = [program, "-t", "-c", str(tmp_path / "nginx.conf"), "-e", str(tmp_path / "error.log")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
