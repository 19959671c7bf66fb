"""`vitrine versions` lists what there is, and what each version has learnt of its relevance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingest.job_commands import versions
from tests.fakes import FakeEmbedder
from tests.unit.test_learning import MAPPING, catalogue
from vitrine.index import VersionFilling
from vitrine.index.faiss.records.search_model import SEARCH_MODEL
from vitrine.index.faiss.versions import FaissVersions
from vitrine.learning import learn_version
from vitrine.settings import Settings


@pytest.fixture
def version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a live version that has learnt its relevance, in the configured data folder."""
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path))
    embedder = FakeEmbedder()
    existing = FaissVersions(tmp_path / "index", Settings(data_dir=tmp_path))
    index = existing.create(
        model="m",
        fingerprint=embedder.info.fingerprint,
        dimension=embedder.info.dimension,
        schema=MAPPING.schema(),
        mapping=MAPPING.to_dict(),
    )
    index.upsert(catalogue(embedder, 100, 1))
    existing.complete(index.info.name, VersionFilling("cpu", "int8", 16, 2.5))
    existing.publish(index.info.name)
    learn_version(existing, index, embedder)
    index.close()
    return index.info.name


def test_the_constants_of_a_version_are_told(version: str):
    told = CliRunner().invoke(versions, [])
    assert told.exit_code == 0, told.output
    assert version in told.output
    assert "relevance learned from 100 products" in told.output
    assert "words slope" in told.output
    assert "filled in 2 s: int8 on cpu, batches of 16" in told.output
    listed = json.loads(CliRunner().invoke(versions, ["--json"]).output)
    assert listed[0]["relevance"]["products"] == 100
    assert listed[0]["filling"]["batch"] == 16


def test_a_version_whose_constants_cannot_be_read_is_listed_all_the_same(
    version: str, tmp_path: Path
):
    (tmp_path / "index" / version / SEARCH_MODEL).write_bytes(b"no zip")
    told = CliRunner().invoke(versions, [])
    assert told.exit_code == 0
    assert f"{version} " in told.output
    assert "relevance learned" not in told.output
