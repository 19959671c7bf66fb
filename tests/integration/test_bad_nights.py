"""Sixty live products and a night on which something goes wrong: the shop keeps all of them."""

from __future__ import annotations

import csv
import io
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingest.commands import ingest
from ingest.sources import remote
from tests.fakes import FakeEmbedder
from tests.unit.ingest.catalogue import picture
from tests.unit.ingest.test_polite import Host
from vitrine.cli import main
from vitrine.settings import load_settings
from vitrine.wiring import Vitrine

pytestmark = pytest.mark.slow

COUNT = 60
ALLOWED = 4
MODES = ([], ["--sync"], ["--replace"])


class Night:
    """A shop of sixty products, its feed and its pictures' host; the host may have a bad night."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.be_good()
        self.host = Host(self._answer)

    def be_good(self) -> None:
        """Answer with the sixty products and all pictures."""
        self.feed, self.status = feed(), 200
        self.pictures_left: int | None = None

    def _answer(
        self, _: Host, request: BaseHTTPRequestHandler
    ) -> tuple[int, bytes, dict[str, str]]:
        if request.path == "/feed.csv":
            return self.status, self.feed.replace("HOST", self.host.url).encode(), {}
        with self._lock:
            if self.pictures_left is not None:
                if not self.pictures_left:
                    return 429, b"", {}
                self.pictures_left -= 1
        return 200, picture(number=int(Path(request.path).stem)), {}

    def ingest(self, *options: str) -> Result:
        return CliRunner().invoke(ingest, [f"{self.host.url}/feed.csv", *options])


def feed(price: str = "10.00") -> str:
    """The shop's feed, its columns named as the fields are."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("id", "title", "image", "price", "currency"))
    for number in range(COUNT):
        image = f"HOST/{number}.png"
        writer.writerow((f"p{number}", f"Thing {number}", image, price, "EUR"))
    return out.getvalue()


def live_prices() -> dict[str, float | None]:
    """The price of each live product."""
    vitrine = Vitrine(load_settings())
    try:
        live = vitrine.versions.live()
        return {r.product.id: r.product.price for batch in live.scan() for r in batch}
    finally:
        vitrine.close()


def prepare(patch: pytest.MonkeyPatch, folder: Path) -> None:
    embedder = FakeEmbedder()
    patch.setattr("vitrine.wiring.Vitrine._load_embedder", lambda *_: embedder)
    patch.setattr(remote, "_FRESH_S", 0.0)
    settings = {"DATA_DIR": str(folder), "FETCH_PRIVATE": "true", "FETCH_ATTEMPTS": "1"}
    for name, value in settings.items():
        patch.setenv(f"VITRINE_{name}", value)


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Night, Path]]:
    """The shop when all was well, and its data folder."""
    folder = tmp_path_factory.mktemp("evening") / "data"
    with pytest.MonkeyPatch.context() as patch:
        prepare(patch, folder)
        made = Night()
        first = made.ingest()
        assert first.exit_code == 0, first.output
        assert set(live_prices().values()) == {10.0}
    yield made, folder
    made.host.close()


@pytest.fixture
def night(evening: tuple[Night, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    made, folder = evening
    made.be_good()
    shutil.copytree(folder, tmp_path / "data")
    prepare(monkeypatch, tmp_path / "data")
    return made


@pytest.mark.parametrize("mode", MODES)
def test_a_host_that_answers_429_after_four_pictures_costs_neither_products_nor_prices(
    night: Night, mode: list[str]
) -> None:
    night.feed = feed("12.00")
    night.pictures_left = ALLOWED
    result = night.ingest(*mode)
    assert result.exit_code == 1
    assert "unreachable" in result.output
    assert live_prices() == dict.fromkeys((f"p{n}" for n in range(COUNT)), 12.0)
    night.pictures_left = None
    good = night.ingest(*mode)
    assert good.exit_code == 0, good.output
    assert len(live_prices()) == COUNT


@pytest.mark.parametrize("mode", MODES)
def test_a_feed_that_is_cut_in_its_third_row_costs_nothing(night: Night, mode: list[str]) -> None:
    lines = feed("12.00").splitlines(keepends=True)
    night.feed = "".join(lines[:3]) + lines[3][:12]
    result = night.ingest(*mode)
    prices = live_prices()
    assert prices.keys() == {f"p{n}" for n in range(COUNT)}
    assert prices["p2"] == 10.0, "half a row is no row"
    if mode:
        assert result.exit_code == 3
        assert "58 of 60 live products" in result.output
    else:
        assert result.exit_code == 1
        assert "broken_row" in result.output
    night.feed = feed("12.00")
    assert night.ingest(*mode).exit_code == 0
    assert set(live_prices().values()) == {12.0}


@pytest.mark.parametrize(
    ("mode", "status", "body", "words"),
    [
        *((mode, 200, "", "is empty") for mode in MODES),
        *((mode, 500, "", "answers with status 500") for mode in MODES),
        ([], 200, "\n\n", "is empty"),
        ([], 200, feed().splitlines(keepends=True)[0], "no rows"),
        ([], 404, "", "answers with status 404"),
    ],
)
def test_a_feed_without_products_changes_nothing_and_says_why(
    night: Night, mode: list[str], status: int, body: str, words: str
) -> None:
    night.status, night.feed = status, body
    result = night.ingest(*mode)
    assert result.exit_code == 3
    assert words in result.output
    assert live_prices() == dict.fromkeys((f"p{n}" for n in range(COUNT)), 10.0)


def test_wrong_use_ends_with_another_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(monkeypatch, tmp_path)
    arguments = ["vitrine", "ingest", str(tmp_path / "no-such-file.csv")]
    monkeypatch.setattr("sys.argv", arguments)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "there is no" in capsys.readouterr().err
