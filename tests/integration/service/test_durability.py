"""What is acknowledged is on the disk: seen from outside, by the system calls of the service."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import subprocess
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.integration.service.process import LAUNCH, PATIENCE_S, ServiceProcess, attempts

TOKEN = "a-token-of-the-tests"


def picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(written, "PNG")
    return written.getvalue()


FORGETFUL = """
import os, runpy, sys
import vitrine.storage.atomic
{change}
sys.argv = ["launch", "ready"]
runpy.run_path({launch!r}, run_name="__main__")
"""
"""The service, with a part of its durability taken out."""


def trace_of_a_write(folder: Path, *command: str) -> list[str]:
    """The system calls of the serving process while it accepts a product with its picture."""
    trace = folder / "trace"
    row = {"id": "a", "title": "A", "image": {"base64": base64.b64encode(picture()).decode()}}
    with ServiceProcess(folder, *command, admin_token=TOKEN) as service:
        service.wait_until("/health/ready")
        (serving,) = service.serving()
        strace = ["strace", "-f", "-y", "-qq", "-s", "64", "-o", str(trace), "-p", str(serving)]
        strace += ["-e", "trace=fsync,fdatasync,rename,renameat,renameat2,sendto,write"]
        with subprocess.Popen(strace) as tracing:
            for _ in attempts():
                if trace.exists():
                    break
            service.get("/health/live")
            answer = httpx.put(
                f"{service.url}/v1/admin/products",
                json=[row],
                headers={"Authorization": f"Bearer {TOKEN}"},
                timeout=PATIENCE_S,
            )
            tracing.terminate()
        assert answer.status_code == 202, answer.text
        service.process.kill()
    return trace.read_text("utf-8", "replace").splitlines()


def check_order(lines: list[str]) -> None:
    """File, its name in its folder, and the folder in the one above are flushed; then comes 202."""
    key = hashlib.sha256(picture()).hexdigest()
    folder = f"{key[:2]}/{key[2:4]}"

    def first(pattern: str, after: int = 0) -> int:
        places = [n for n, line in enumerate(lines) if n >= after and re.search(pattern, line)]
        assert places, f"no {pattern} in:\n" + "\n".join(lines[-60:])
        return places[0]

    flushed = first(rf"f(data)?sync\(\d+<[^>]*{folder}/{key}[^>]*\.part>")
    renamed = first(rf"rename.*{folder}/{key}", flushed)
    entry = first(rf"fsync\(\d+<[^>]*/{folder}>", renamed)
    above = first(rf"fsync\(\d+<[^>]*/{key[:2]}>")
    acknowledged = first(r"HTTP/1\.1 202")
    assert max(flushed, renamed, entry, above) < acknowledged


def test_a_picture_and_its_folder_are_flushed_before_its_write_is_acknowledged(tmp_path: Path):
    check_order(trace_of_a_write(tmp_path))


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ("os.fsync = lambda handle: None", r"no f\(data\)\?sync"),
        ("vitrine.storage.atomic.sync_folder = lambda folder: None", "no fsync"),
    ],
    ids=["no fsync at all", "no fsync of folders"],
)
def test_the_trace_shows_when_a_flush_is_left_out(tmp_path: Path, change: str, missed: str):
    """The instrument itself: it would find it out if the service did not flush."""
    program = FORGETFUL.format(change=change, launch=str(LAUNCH))
    lines = trace_of_a_write(tmp_path, "-c", program)
    with pytest.raises(AssertionError, match=missed):
        check_order(lines)
