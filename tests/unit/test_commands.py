"""Commands refuse what is wrong by its own name, and print what the API answers."""

from __future__ import annotations

import gc
import json
import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.models.search_answer import SearchAnswer
from tests.shop import open_shop, picture
from vitrine.cli import vitrine as program
from vitrine.commands import io
from vitrine.embedding import Detection
from vitrine.recognition import Recognition


@pytest.fixture
def picture_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A picture, beside a live shop of five products that the commands open."""
    shop = open_shop(tmp_path / "data")
    shop.publish_first(5)
    shop.vitrine.close()
    monkeypatch.setattr(Recognition, "detect", lambda *_, **__: [])
    monkeypatch.setattr(io, "open_vitrine", lambda: open_shop(tmp_path / "data").vitrine)
    file = tmp_path / "photo.png"
    file.write_bytes(picture(1))
    return file


def run(*arguments: str) -> Result:
    return CliRunner().invoke(program, arguments)


def test_a_search_prints_the_answer_of_the_api(picture_file: Path):
    result = run("search", "--json", "--sort", "-price", "--limit", "2")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    SearchAnswer.model_validate(answer)
    assert [hit["id"] for hit in answer["hits"]] == ["p00004", "p00003"]
    assert answer["hits"][0]["product"]["price"] == 4
    assert answer["hits"][0]["image_url"] == "/v1/products/p00004/image"


def test_a_search_keeps_away_from_what_it_should_not_look_like(picture_file: Path):
    alone, apart = (
        json.loads(run("search", "--like", "p00000", *more, "--json").stdout)
        for more in ((), ("--unlike", "p00001"))
    )
    assert "p00001" in [hit["id"] for hit in alone["hits"]]
    assert "p00001" not in [hit["id"] for hit in apart["hits"]]


def test_an_object_is_printed_once_where_that_is_asked(
    picture_file: Path, monkeypatch: pytest.MonkeyPatch
):
    boxes = [Detection(name, 0.5, (0, 0, 9, 9)) for name in ("mug", "cup")]
    monkeypatch.setattr(Recognition, "detect", lambda *_, **__: boxes)
    counts = [
        len(run("detect", str(picture_file), "mug", "cup", *more).stdout.splitlines())
        for more in ((), ("--distinct",))
    ]
    assert counts == [2, 1]


@pytest.mark.parametrize("name", ["no-such-folder/out.png", "out.nosuch"])
def test_boxes_that_cannot_be_drawn_to_a_file_are_told_in_a_sentence(
    picture_file: Path, tmp_path: Path, name: str
):
    result = run("detect", str(picture_file), "mug", "--save", str(tmp_path / name))
    assert f"--save: {tmp_path / name} cannot be written" in str(result.exception)


def test_a_port_that_is_taken_is_told_before_a_catalogue_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(os, "environ", {**os.environ, "VITRINE_DATA_DIR": str(tmp_path / "data")})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("demo", "--port", str(taken.getsockname()[1]))
    assert "Address already in use" in str(result.exception)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["doctr"], "Did you mean 'doctor'?"),
        (["qqqqqqq"], "`vitrine --help` lists all."),
        (["serve", "--port", "99999"], "'--port': 99999 is not in the range 0<=x<=65535"),
        (["serve", "--threads", "0"], "'--threads': 0 is not in the range 1<=x<=256"),
        (["worker", "--threads", "0"], "'--threads': 0 is not in the range 1<=x<=64"),
        (["embedder", "--port", "-1"], "'--port': -1 is not in the range"),
        (["demo", "--port", "65536"], "'--port': 65536 is not in the range"),
        (["search", "--limit", "0"], "'--limit': 0 is not in the range x>=1"),
        (["evaluate", __file__, "--k", "0"], "'--k': 0 is not in the range x>=1"),
        (["detect", __file__, "mug", "--threshold", "7"], "'--threshold': 7.0 is not in the range"),
        (["failures", "--json", "--csv"], "give --json or --csv, not both"),
    ],
)
def test_a_wrong_argument_is_refused_by_its_own_name(arguments: list[str], said: str):
    result = run(*arguments)
    assert (result.exit_code, said in result.output) == (2, True), result.output


def test_an_ingest_looks_for_reference_cycles_after_thousands_of_new_objects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path))
    thresholds = gc.get_threshold()
    try:
        result = run("ingest", str(tmp_path / "nothing.csv"))
        assert "there is no" in str(result.exception)
        assert gc.get_threshold()[0] >= 10_000
    finally:
        gc.set_threshold(*thresholds)
