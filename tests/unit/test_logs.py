"""Log lines: one for each thing told, whatever the names in it hold."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from vitrine.embedding.hub import cached
from vitrine.logs import configure_logging
from vitrine.settings import Settings

FORGED = "reindex of shop.csv\n12:00:00 info     admin logged in\x1b[2K\u202e"


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Put the root logger back as pytest has it."""
    root, pictures = logging.getLogger(), logging.getLogger("PIL")
    handlers, level, of_pictures = root.handlers[:], root.level, pictures.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    pictures.setLevel(of_pictures)


def test_a_name_cannot_begin_a_line_of_its_own(capsys: pytest.CaptureFixture[str]):
    configure_logging(Settings(log_format="human"))
    logging.getLogger("ingest").warning("cannot read %s", FORGED)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(r"shop.csv\n12:00:00 info     admin logged in\x1b[2K\u202e")


def test_in_json_a_name_cannot_either(capsys: pytest.CaptureFixture[str]):
    configure_logging(Settings(log_format="json"))
    logging.getLogger("ingest").warning("cannot read %s", FORGED)
    (line,) = capsys.readouterr().err.rstrip("\n").split("\n")
    assert json.loads(line)["message"] == f"cannot read {FORGED}"


def test_a_stack_trace_keeps_its_lines(capsys: pytest.CaptureFixture[str]):
    configure_logging(Settings(log_format="human"))
    try:
        raise ValueError("one\ntwo")
    except ValueError:
        logging.getLogger("ingest").exception("it failed")
    assert len(capsys.readouterr().err.splitlines()) > 3


@pytest.mark.parametrize("level", ["debug", "info"])
def test_what_pillow_says_of_clients_pictures_is_not_logged(
    level: str, capsys: pytest.CaptureFixture[str]
):
    configure_logging(Settings(log_level=level))
    logging.getLogger("PIL.TiffImagePlugin").error("More samples per pixel than can be decoded: 9")
    assert capsys.readouterr().err == ""


def test_a_library_that_prints_its_own_lines_is_heard_once(capsys: pytest.CaptureFixture[str]):
    configure_logging(Settings(log_format="json"))
    cached("no-such/model")  # imports what it is about
    logging.getLogger("huggingface_hub").warning("the hub is away")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "the hub is away"
