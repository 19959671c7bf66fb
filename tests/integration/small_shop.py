"""Ingests a catalogue, runs `vitrine up`, searches, and stops: what a shop does in a day, in a few
seconds.

Arguments: the catalogue, its mapping, the port, and how many seconds the service runs after the
search.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request

VITRINE = (sys.executable, "-c", "from vitrine.cli import main; main()")
PATIENCE_S = 500


def answer_of(url: str) -> bytes:
    """The body of the first answer that is no error; a service that starts needs some tries."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30) as response:
                body: bytes = response.read()
                return body
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def main(catalogue: str, mapping: str, port: str, seconds: str) -> None:
    ingest = [*VITRINE, "ingest", catalogue, "--map", mapping]
    subprocess.run(ingest, check=True, timeout=PATIENCE_S)
    shop = subprocess.Popen([*VITRINE, "up", "--port", port])
    try:
        answer_of(f"http://127.0.0.1:{port}/health/ready")
        answer_of(f"http://127.0.0.1:{port}/v1/search?q=a+red+dress")
        ready = answer_of(f"http://127.0.0.1:{port}/health/ready")
        print(json.dumps({"products": json.loads(ready)["products"]}), flush=True)
        time.sleep(float(seconds))
    finally:
        shop.terminate()
        shop.wait(PATIENCE_S)


if __name__ == "__main__":
    main(*sys.argv[1:])
