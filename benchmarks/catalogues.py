"""Large catalogues and quiet nights, with a stand-in for the model.

`python -m benchmarks.catalogues memory FOLDER` ingests an XML feed and a spreadsheet of 200 MB and
of 2 MB, each in a process of its own, and prints the peaks of their memory.
`python -m benchmarks.catalogues quiet FOLDER` ingests 10,000 products twice from a loopback server
and prints what the second run asked for and embedded.
"""

from __future__ import annotations

import io
import json
import random
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import click
import openpyxl
from PIL import Image

from ingest.catalogue import MappingChoice, choose_mapping
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import run
from tests.fakes import FakeEmbedder
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

LARGE_MB, SMALL_MB = 200.0, 2.0
ROW_BYTES = 8_000
"""A product of a rich feed: most of it are details that no mapping takes."""
DESCRIPTION_BYTES = 1_000
VOCABULARY = 5_000
PRODUCTS = 10_000


@click.group()
def main() -> None:
    """Measure ingests of large and of unchanged catalogues."""


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--large", default=LARGE_MB, show_default=True, help="MB of the large catalogues.")
@click.option("--only", type=click.Choice(["xml", "xlsx"]), help="Measure this format alone.")
def memory(folder: Path, large: float, only: str | None) -> None:
    """Peaks of memory over whole ingests, large beside small."""
    folder.mkdir(parents=True, exist_ok=True)
    _picture(folder / "thing.png", 1)
    for name, write in (("xml", _write_feed), ("xlsx", _write_workbook)):
        if only not in (None, name):
            continue
        for size in (SMALL_MB, large):
            path = folder / f"feed-{size:g}.{name}"
            count = write(path, size)
            stored = path.stat().st_size / 1e6
            result = _measured(path)
            click.echo(
                f"{name}: {stored:.0f} MB, {count} products: peak {result['peak_mb']:.0f} MB, "
                f"{result['done']} taken, {result['failed']} failed, {result['seconds']:.0f} s"
            )


@main.command("ingest")
@click.argument("source")
@click.argument("data", type=click.Path(path_type=Path))
def ingest_(source: str, data: Path) -> None:
    """One ingest in this process; prints its summary and the peak of its memory as JSON."""
    began = time.monotonic()
    embedder = FakeEmbedder()
    settings = Settings(data_dir=data, fetch_private=True, decode_processes=0)
    with closing(Vitrine(settings, embedder=lambda _: embedder)) as vitrine:
        mapping = choose_mapping(source, settings, MappingChoice()).mapping
        summary = run(vitrine, open_source(source, settings, mapping), mapping)
    values = {
        "done": summary.done,
        "unchanged": summary.unchanged,
        "failed": summary.failed,
        "embedded": summary.embedded,
        "pictures": embedder.images_embedded,
        "seconds": time.monotonic() - began,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    click.echo(json.dumps(values))


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--products", default=PRODUCTS, show_default=True, help="How many there are.")
def quiet(folder: Path, products: int) -> None:
    """A second night over unchanged products: what it asks for, and what it embeds."""
    folder.mkdir(parents=True, exist_ok=True)
    shop = _Shop(products)
    try:
        for night in ("first", "second"):
            shop.answers.clear()
            result = _measured(f"{shop.url}/feed.jsonl", folder / "data")
            click.echo(f"{night} night: {json.dumps(result)}; answers {dict(shop.answers)}")
    finally:
        shop.close()


class _Shop:
    """A feed and a picture for each of its products, all with an ETag."""

    def __init__(self, products: int) -> None:
        self.answers: Counter[str] = Counter()
        self._lock = threading.Lock()
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                known = self.headers.get("If-None-Match") == '"1"'
                kind = "feed" if self.path == "/feed.jsonl" else "pictures"
                body = b"" if known else shop.body(self.path)
                with shop._lock:
                    shop.answers[f"{kind} {304 if known else 200}"] += 1
                    shop.answers["bytes"] += len(body)
                self.send_response(304 if known else 200)
                self.send_header("ETag", '"1"')
                if not known:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        rows = [
            {"id": f"p{n}", "title": f"Thing {n}", "image": f"{self.url}/{n}.png", "price": n}
            for n in range(products)
        ]
        self._feed = "".join(json.dumps(row) + "\n" for row in rows).encode()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def body(self, path: str) -> bytes:
        """What stands at a path."""
        return self._feed if path == "/feed.jsonl" else _drawn(int(Path(path).stem))

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def _measured(source: str | Path, data: Path | None = None) -> dict[str, Any]:
    """The result of an ingest in a process of its own."""
    folder = data or Path(f"{source}.data")
    command = [sys.executable, "-m", "benchmarks.catalogues", "ingest", str(source), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=7200)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _rows(size_mb: float) -> int:
    return max(1, int(size_mb * 1e6 / ROW_BYTES))


def _description(chance: random.Random) -> str:
    """Words of a language of its own, the first ones more often than the last."""
    numbers = (int(VOCABULARY * chance.random() ** 3) for _ in range(DESCRIPTION_BYTES // 7))
    return " ".join(f"w{number:05d}" for number in numbers)


def _details(chance: random.Random) -> str:
    """Numbers that do not repeat, so that a workbook does not shrink to nothing."""
    size = ROW_BYTES - DESCRIPTION_BYTES
    return " ".join(f"{chance.getrandbits(40):010x}" for _ in range(size // 11))


def _write_feed(path: Path, size_mb: float) -> int:
    chance = random.Random(1)
    with path.open("w") as file:
        file.write('<rss xmlns:g="http://base.google.com/ns/1.0"><channel>')
        for number in range(_rows(size_mb)):
            file.write(
                f"<item><g:id>p{number}</g:id><title>Thing {number}</title>"
                f"<g:price>{number % 90 + 1}.00 EUR</g:price>"
                f"<g:image_link>thing.png</g:image_link>"
                f"<description>{escape(_description(chance))}</description>"
                f"<g:product_highlight>{_details(chance)}</g:product_highlight></item>"
            )
        file.write("</channel></rss>")
    return _rows(size_mb)


def _write_workbook(path: Path, size_mb: float) -> int:
    """A workbook of that size, packed; hexadecimal digits pack to about half."""
    chance = random.Random(2)
    count = int(1.8 * _rows(size_mb))
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["id", "title", "price", "image", "description", "details"])
    for number in range(count):
        values = [f"p{number}", f"Thing {number}", number % 90 + 1, "thing.png"]
        sheet.append([*values, _description(chance), _details(chance)])
    book.save(path)
    return count


def _picture(path: Path, number: int) -> None:
    path.write_bytes(_drawn(number))


def _drawn(number: int) -> bytes:
    """A small picture that differs from those of other numbers."""
    image = Image.new("RGB", (24, 24), (number % 256, number // 256 % 256, 90))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


if __name__ == "__main__":
    main()
