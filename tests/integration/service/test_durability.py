"""What is acknowledged is on the disk: seen from outside, by the system calls of the service."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import subprocess

import httpx
import pytest
from PIL import Image

from tests.integration.service.process import PATIENCE_S, ServiceProcess
from tests.support.waiting import until

TOKEN = "a-token-of-the-tests"


def picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(written, "PNG")
    return written.getvalue()


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The system calls of the serving process while it accepts a product with its picture."""
    folder = tmp_path_factory.mktemp("service")
    trace = folder / "trace"
    row = {"id": "a", "title": "A", "image": {"base64": base64.b64encode(picture()).decode()}}
    with ServiceProcess(folder, admin_token=TOKEN) as service:
        service.wait_until("/health/ready")
        (serving,) = service.serving()
        strace = ["strace", "-f", "-y", "-qq", "-s", "64", "-o", str(trace), "-p", str(serving)]
        strace += ["-e", "trace=fsync,fdatasync,rename,renameat,renameat2,sendto,write"]
        with subprocess.Popen(strace) as tracing:

            def sees_answers() -> bool:
                """It has every thread by the time that it tells the first call."""
                service.get("/health/live")
                return trace.exists() and "HTTP/1.1 200" in trace.read_text("utf-8", "replace")

            until(sees_answers, "strace follows the process")
            answer = httpx.put(
                f"{service.url}/v1/admin/products",
                json=[row],
                headers={"Authorization": f"Bearer {TOKEN}"},
                timeout=PATIENCE_S,
            )
            tracing.terminate()
        assert answer.status_code == 202, answer.text
    return trace.read_text("utf-8", "replace").splitlines()


def check_order(lines: list[str]) -> None:
    """File, its name in its folder, and the folder in the one above are flushed; then comes 202."""
    key = hashlib.sha256(picture()).hexdigest()
    folder = f"images/{key[:2]}"

    def first(pattern: str, after: int = 0) -> int:
        places = [n for n, line in enumerate(lines) if n >= after and re.search(pattern, line)]
        assert places, f"no {pattern} in:\n" + "\n".join(lines[-60:])
        return places[0]

    flushed = first(rf"f(data)?sync\(\d+<[^>]*{folder}/{key}[^>]*\.part>")
    renamed = first(rf"rename.*{folder}/{key}", flushed)
    entry = first(rf"fsync\(\d+<[^>]*/{folder}>", renamed)
    above = first(r"fsync\(\d+<[^>]*/images>")
    acknowledged = first(r"HTTP/1\.1 202")
    assert max(flushed, renamed, entry, above) < acknowledged


def test_a_picture_and_its_folder_are_flushed_before_its_write_is_acknowledged(trace: list[str]):
    check_order(trace)


@pytest.mark.parametrize(
    ("left_out", "missed"),
    [
        (r"f(data)?sync\(", r"no f\(data\)\?sync"),
        (r"fsync\(\d+<[^>]*/images/[^.]*>", "no fsync"),
    ],
    ids=["no fsync at all", "no fsync of folders"],
)
def test_a_flush_that_is_left_out_is_missed(trace: list[str], left_out: str, missed: str):
    """The instrument itself: it would find it out if the service did not flush."""
    lines = [line for line in trace if not re.search(left_out, line)]
    assert len(lines) < len(trace)
    with pytest.raises(AssertionError, match=missed):
        check_order(lines)
