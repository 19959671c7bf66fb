"""The commands backup and restore, from the embedded index into Qdrant's local mode."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.contract.catalogue import DIMENSION, SCHEMA, make_catalogue
from vitrine.backup.commands import backup, restore
from vitrine.errors import Conflict
from vitrine.settings import load_settings
from vitrine.wiring import Vitrine


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder whose live version, in the embedded index, has 25 products."""
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path / "data"))
    with closing(Vitrine(load_settings())) as vitrine:
        index = vitrine.versions.create(
            model="m", fingerprint="f", dimension=DIMENSION, schema=SCHEMA, mapping={}
        )
        index.upsert(make_catalogue(25, 6))
        vitrine.versions.complete(index.info.name)
        vitrine.versions.publish(index.info.name)
    return tmp_path


def test_the_index_moves_into_another_backend_by_two_commands(
    data: Path, monkeypatch: pytest.MonkeyPatch
):
    done = CliRunner().invoke(backup, [str(data / "b")], catch_exceptions=False)
    assert done.exit_code == 0
    assert "25 products of version" in done.output
    monkeypatch.setenv("VITRINE_BACKEND", "qdrant")
    monkeypatch.setenv("VITRINE_QDRANT_URL", str(data / "qdrant"))
    done = CliRunner().invoke(restore, [str(data / "b")], catch_exceptions=False)
    assert done.exit_code == 0
    assert "it is live" in done.output
    with closing(Vitrine(load_settings())) as vitrine:
        assert vitrine.versions.live().count() == 25


def test_a_restored_version_may_be_left_for_later(data: Path):
    CliRunner().invoke(backup, [str(data / "b")], catch_exceptions=False)
    with closing(Vitrine(load_settings())) as vitrine:
        before = vitrine.versions.live().info.name
    done = CliRunner().invoke(restore, ["--no-publish", str(data / "b")], catch_exceptions=False)
    assert "make it live with `vitrine publish " in done.output
    with closing(Vitrine(load_settings())) as vitrine:
        assert vitrine.versions.live().info.name == before
        assert [v.state for v in vitrine.versions.list()] == ["ready", "live"]


def test_a_folder_with_a_backup_is_not_written_again(data: Path):
    CliRunner().invoke(backup, [str(data / "b")], catch_exceptions=False)
    with pytest.raises(Conflict, match="already contains a backup"):
        CliRunner().invoke(backup, [str(data / "b")], catch_exceptions=False)
