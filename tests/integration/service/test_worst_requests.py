"""What the worst requests cost together: memory above idle, and how long a neighbor waits."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psutil
import pytest
from PIL import Image

from tests.integration.service.process import PATIENCE_S, ServiceProcess
from tests.support.waiting import until

AT_ONCE = 8
MOST_BYTES = 1_000_000_000
COMES_BACK_WITHIN = 100_000_000
"""Of the memory before: what the requests took is the system's again soon after."""
LITTLE_S = 2.0
"""CPU seconds of work that a neighbor may always find before it."""
JSON = {"Content-Type": "application/json"}


def picture(size: tuple[int, int], form: str, mode: str = "RGB") -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, 100).save(written, form, method=0, compress_level=1)
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


def worked(serving: psutil.Process) -> float:
    """CPU seconds of the process so far, which do not depend on what else the machine does."""
    times = serving.cpu_times()
    return float(times.user + times.system)


def worked_meanwhile(service: ServiceProcess, serving: psutil.Process) -> float:
    """What the process worked while a probe, or a cached search, was waiting for its answer."""
    work = []
    for path in ("/health/live", "/v1/search?q=red"):
        before = worked(serving)
        assert service.get(path).status_code in (200, 503)
        work.append(worked(serving) - before)
    return max(work)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """One service for all of them."""
    with ServiceProcess(tmp_path_factory.mktemp("service"), threads=8) as service:
        service.wait_until("/health/ready")
        service.search("?q=red")
        yield service


@pytest.mark.parametrize("name", WORST)
def test_eight_of_the_worst_requests_at_once_are_bounded(service: ServiceProcess, name: str):
    """A neighbor waits for less than half of the work that the eight are."""
    body = WORST[name]()
    serving = psutil.Process(service.serving()[0])
    before, idle = own_memory(serving), worked(serving)
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
            waits.append(worked_meanwhile(service, serving))
        for thread in threads:
            thread.join()
    peak, work = max(sizes) - sizes[0], worked(serving) - idle
    print(f"{name}: {peak / 1e6:.0f} MB, {sorted(statuses)}, neighbor {waits} of {work:.2f} s")
    assert len(statuses) == AT_ONCE
    assert set(statuses) <= {200, 413, 422, 503}
    assert peak < MOST_BYTES
    assert max(waits, default=0.0) < max(LITTLE_S, work / 2)
    until(lambda: own_memory(serving) - before < COMES_BACK_WITHIN, "the memory comes back")
