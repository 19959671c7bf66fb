"""The contact sheet shows each category in its own row."""

from pathlib import Path

import numpy as np
from click.testing import CliRunner
from PIL import Image

from demo.contact_sheet import main
from demo.drawing import CATEGORIES


def test_the_command_draws_a_row_for_every_category(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(tmp_path / "all.png"), "--size", "32", "--columns", "2"])
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "all.png") as sheet:
        assert sheet.size == (64, len(CATEGORIES) * (32 + 14))
        rows = np.asarray(sheet.convert("L")).reshape(len(CATEGORIES), 46, 64)
    assert all(row[:32].std() > 5 for row in rows), "a row is blank"


def test_the_command_names_the_categories_when_one_is_unknown(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, [str(tmp_path / "none.png"), "--category", "rocket"])
    assert result.exit_code == 2
    assert "'dress'" in result.output
    assert not list(tmp_path.iterdir())
