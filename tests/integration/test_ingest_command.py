"""`vitrine ingest` and `vitrine failures` as an operator runs them."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from ingest.commands import failures, ingest
from tests.fakes import FakeEmbedder
from tests.unit.ingest.catalogue import Shop
from vitrine.cli import main

FOLDER = Path(__file__).parents[2] / "vitrine" / "fields" / "mappings"
MAPPINGS = sorted({path.stem for path in FOLDER.glob("*.toml")} - {"recognition"})
"""By name; the file left out says how exports are recognized."""
TOML = """
[product]
id = "id"
title = "name"
image = "image"
price = "price"
color = "color"
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    embedder = FakeEmbedder()
    monkeypatch.setattr("vitrine.wiring.Vitrine._load_embedder", lambda *_: embedder)
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "shop.toml").write_text(TOML)
    shop = Shop(tmp_path)
    shop.fill_index(12)
    return shop


def call(shop: Shop, *arguments: str) -> Result:
    shop.write()
    return CliRunner().invoke(
        ingest, [str(shop.catalogue), "--map", str(shop.root / "shop.toml"), *arguments]
    )


def test_a_clean_ingest_ends_with_0_and_a_summary(shop: Shop) -> None:
    result = call(shop)
    assert result.exit_code == 0, result.output
    assert "done             12  (12 embedded)" in result.stdout
    assert "is live" in result.stderr
    again = call(shop)
    assert again.exit_code == 0
    assert "unchanged        12" in again.stdout


def test_failures_end_with_1_and_are_listed_with_reasons(shop: Shop) -> None:
    shop.rows[3] = {**shop.rows[3], "price": "ask us"}
    shop.rows[4] = {**shop.rows[4], "image": "none.png"}
    result = call(shop)
    assert result.exit_code == 1
    assert "failed            2" in result.stdout
    assert "invalid_field" in result.stdout
    assert "vitrine failures" in result.stderr
    listed = CliRunner().invoke(failures, [])
    assert listed.exit_code == 0
    assert "'ask us' is not a price" in listed.stdout
    assert "2 failures" in listed.stderr
    entries = [
        json.loads(line) for line in CliRunner().invoke(failures, ["--json"]).stdout.splitlines()
    ]
    assert {(e["id"], e["stage"], e["reason"], e["row"]) for e in entries} == {
        ("p3", "fields", "invalid_field", 3),
        ("p4", "image", "missing", 4),
    }


def test_the_summary_is_there_for_programs(shop: Shop) -> None:
    values: dict[str, Any] = json.loads(call(shop, "--json").stdout)
    assert (values["done"], values["unchanged"], values["failed"], values["published"]) == (
        12,
        0,
        0,
        True,
    )
    assert {"read", "decode", "preprocess", "embed", "write"} <= set(values["stages"])
    assert (values["device"], values["precision"]) == ("cpu", "fp32")
    assert values["batch"] >= 1
    assert values["total_seconds"] > values["seconds"] > 0


def test_an_empty_ledger_says_so(shop: Shop) -> None:
    call(shop)
    result = CliRunner().invoke(failures, [])
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "no failures\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("none.csv", "--map", "image_folder"), "there is no none.csv"),
        (
            ("products.jsonl", "--map", "none.toml"),
            f"one of: {', '.join(MAPPINGS)}\n",
        ),
        (("products.jsonl",), "are those of no export that is known: id, name"),
        (
            ("products.jsonl", "--map", "ecommerce_products_clip"),
            "the source has no column 'Product_name'",
        ),
    ],
)
def test_what_cannot_start_ends_with_2_and_one_sentence(
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    shop.write()
    monkeypatch.chdir(shop.root)
    monkeypatch.setattr("sys.argv", ["vitrine", "ingest", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


class InterruptingEmbedder(FakeEmbedder):
    """Presses Ctrl-C when it is asked for its third batch, and waits until that is told."""

    def __init__(self, told: threading.Event) -> None:
        super().__init__()
        self._batches = 0
        self._told = told

    def embed_pixels(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        self._batches += 1
        if self._batches == 3:
            os.kill(os.getpid(), signal.SIGINT)
        if self._batches >= 3:
            assert self._told.wait(240)
        return super().embed_pixels(pixels)


def test_ctrl_c_finishes_what_is_under_way_and_the_next_start_goes_on(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, echo = threading.Event(), click.echo

    def tell(said: str = "", **how: Any) -> None:
        echo(said, **how)
        if "Ctrl-C again" in said:
            told.set()

    monkeypatch.setattr(click, "echo", tell)
    embedder = InterruptingEmbedder(told)
    monkeypatch.setattr("vitrine.wiring.Vitrine._load_embedder", lambda *_: embedder)
    monkeypatch.setenv("VITRINE_BATCH_SIZE", "8")
    shop.fill_index(400)
    before = signal.getsignal(signal.SIGINT)
    result = call(shop)
    assert result.exit_code == 130
    assert "finishing the work in progress" in result.stderr
    assert "run the same command again" in result.stderr
    stopped_at = embedder.images_embedded
    assert 24 <= stopped_at < 400
    again = call(shop)
    assert again.exit_code == 0, again.output
    assert f"({400 - stopped_at} embedded)" in again.stdout
    assert f"unchanged  {stopped_at:>8}" in again.stdout
    assert signal.getsignal(signal.SIGINT) is before
