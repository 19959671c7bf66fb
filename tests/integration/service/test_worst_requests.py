"""What the worst requests cost together: memory above idle, and how long a neighbor waits."""

from __future__ import annotations

import base64
import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image

from tests.integration.service.process import PATIENCE_S, ServiceProcess, attempts

AT_ONCE = 8
MOST_BYTES = 1_000_000_000
COMES_BACK_WITHIN = 100_000_000
"""Of the memory before: what the requests took is the system's again soon after."""
LONGEST_S = 2.0
"""On a machine of its own; beside other work a quiet request's time is allowed for as well."""
JSON = {"Content-Type": "application/json"}


def picture(size: tuple[int, int], form: str, mode: str = "RGB") -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, 100).save(written, form)
    return written.getvalue()


def in_json(data: bytes) -> bytes:
    return b'{"image": {"base64": "' + base64.b64encode(data) + b'"}}'


def in_json_with_boxes(data: bytes, count: int) -> bytes:
    part = (
        b'{"base64": "%b", "box": {"xmin": 0, "ymin": 0, "xmax": 3000, "ymax": 3000}}'
        % base64.b64encode(data)
    )
    return b'{"image": [' + b",".join([part] * count) + b"]}"


def values(count: int) -> bytes:
    return b'{"filter": {"price": [' + b",".join(b"%d" % n for n in range(count)) + b"]}}"


WORST = {
    "the largest WebP that is decoded": lambda: in_json(picture((3870, 3870), "WEBP")),
    "four of the largest WebPs, a part of each": lambda: in_json_with_boxes(
        picture((3870, 3870), "WEBP"), 4
    ),
    "a WebP of 7900 x 7900": lambda: in_json(picture((7900, 7900), "WEBP")),
    "the largest PNG that is decoded": lambda: in_json(picture((4400, 4400), "PNG", "RGBA")),
    "a JPEG of 64 megapixels": lambda: in_json(picture((8000, 8000), "JPEG")),
    "a PNG 30,000 pixels long": lambda: in_json(picture((30_000, 600), "PNG")),
    "as many values as JSON may hold": lambda: values(99_000),
    "a text of 30 MB": lambda: b'{"text": "' + b"x" * 30_000_000 + b'"}',
    "30 MB that are no picture": lambda: in_json(b"\0" * 22_000_000),
}


@contextmanager
def watched(serving: psutil.Process) -> Iterator[list[int]]:
    """The memory of the process, looked at all the time."""
    sizes, done = [serving.memory_info().rss], threading.Event()

    def look() -> None:
        while not done.wait(0.01):
            sizes.append(serving.memory_info().rss)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield sizes
    finally:
        done.set()
        thread.join()


def own_memory(process: psutil.Process) -> int:
    """Bytes that no file stands behind."""
    told = process.memory_info()
    return int(told.rss - told.shared)


def waited(service: ServiceProcess) -> float:
    """Seconds for the slower of a probe and a cached search, which both answer."""
    times = []
    for path in ("/health/live", "/v1/search?q=red"):
        started = time.monotonic()
        assert service.get(path).status_code in (200, 503)
        times.append(time.monotonic() - started)
    return max(times)


@pytest.mark.parametrize("name", WORST)
def test_eight_of_the_worst_requests_at_once_are_bounded(tmp_path: Path, name: str):
    body = WORST[name]()
    with ServiceProcess(tmp_path, threads=8) as service:
        service.wait_until("/health/ready")
        quiet = max(waited(service) for _ in range(5))
        serving = psutil.Process(service.serving()[0])
        before = own_memory(serving)
        statuses: list[int] = []

        def send() -> None:
            response = httpx.post(
                f"{service.url}/v1/search", content=body, headers=JSON, timeout=PATIENCE_S
            )
            statuses.append(response.status_code)

        threads = [threading.Thread(target=send) for _ in range(AT_ONCE)]
        waits: list[float] = []
        with watched(serving) as sizes:
            for thread in threads:
                thread.start()
            while any(thread.is_alive() for thread in threads):
                waits.append(waited(service))
            for thread in threads:
                thread.join()
        for _ in attempts():
            left = own_memory(serving) - before
            if left < COMES_BACK_WITHIN:
                break
        peak, longest = max(sizes) - sizes[0], max(waits, default=0.0)
        print(f"{name}: {peak / 1e6:.0f} MB, neighbor {longest:.2f} s, {sorted(statuses)}")
        print(f"{left / 1e6:.0f} MB soon after")
        assert set(statuses) <= {200, 413, 422, 503}
        assert peak < MOST_BYTES
        assert left < COMES_BACK_WITHIN
        assert longest < LONGEST_S + 10 * quiet
