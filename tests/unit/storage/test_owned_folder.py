"""Temporary folders go with their process, and with nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from vitrine.storage.owned_folder import OwnedFolder


def test_a_folder_that_another_maker_took_for_abandoned_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    make, others = tempfile.mkdtemp, list[OwnedFolder]()

    def make_and_be_interrupted(prefix: str, dir: Path) -> str:
        made = make(prefix=prefix, dir=dir)
        if not others:
            monkeypatch.setattr(tempfile, "mkdtemp", make)
            others.append(OwnedFolder("own-", tmp_path))
        return made

    monkeypatch.setattr(tempfile, "mkdtemp", make_and_be_interrupted)
    folder = OwnedFolder("own-", tmp_path)
    assert folder.path.is_dir()
    assert {folder.path, others[0].path} == set(tmp_path.iterdir())
