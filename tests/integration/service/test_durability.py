"""What is acknowledged is on the disk: seen from outside, by the system calls of the service."""

from __future__ import annotations

import base64
import hashlib
import io
import re
import subprocess
from pathlib import Path

import httpx
from PIL import Image

from tests.integration.service.process import PATIENCE_S, ServiceProcess, attempts

TOKEN = "a-token-of-the-tests"


def picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(written, "PNG")
    return written.getvalue()


def test_a_picture_and_its_folder_are_flushed_before_its_write_is_acknowledged(tmp_path: Path):
    trace = tmp_path / "trace"
    data = picture()
    key = hashlib.sha256(data).hexdigest()
    row = {"id": "a", "title": "A", "image": {"base64": base64.b64encode(data).decode()}}
    with ServiceProcess(tmp_path, admin_token=TOKEN) as service:
        service.wait_until("/health/ready")
        (serving,) = service.serving()
        command = ["strace", "-f", "-y", "-qq", "-s", "64", "-o", str(trace), "-p", str(serving)]
        command += ["-e", "trace=fsync,fdatasync,rename,renameat,renameat2,sendto,write"]
        with subprocess.Popen(command) as strace:
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
            strace.terminate()
        assert answer.status_code == 202, answer.text
        service.process.kill()
    lines = trace.read_text("utf-8", "replace").splitlines()
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
