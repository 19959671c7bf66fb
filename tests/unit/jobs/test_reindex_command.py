"""What `vitrine reindex` refuses before it starts."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from ingest.job_commands import reindex
from ingest.job_session import open_admin
from tests.fakes import FakeEmbedder
from tests.unit.test_learning import MAPPING
from vitrine.errors import InvalidSettings, ModelUnavailable, StorageUnavailable
from vitrine.index import VersionFilling
from vitrine.index.faiss.versions import FaissVersions
from vitrine.settings import Settings


@pytest.fixture(autouse=True)
def _empty_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_DATA_DIR", str(tmp_path))


def test_a_cluster_that_does_not_answer_is_an_error_even_where_nothing_is_to_be_embedded():
    with socket.socket() as silent:  # bound, and nobody listens
        silent.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        error = CliRunner().invoke(reindex, ["--ray", address]).exception
    assert isinstance(error, StorageUnavailable)
    assert f"no Ray cluster answers at {address}" in str(error)


@pytest.mark.parametrize("address", ["nonsense", "ray://127.0.0.1:10001"])
def test_an_address_of_a_cluster_is_a_host_and_a_port(address: str):
    error = CliRunner().invoke(reindex, ["--ray", address]).exception
    assert isinstance(error, InvalidSettings)
    assert "VITRINE_RAY_ADDRESS: must be HOST:PORT" in str(error)


def test_a_cluster_is_not_named_where_the_workers_do_the_work():
    refused = CliRunner().invoke(reindex, ["--queue", "--ray", "127.0.0.1:6379"])
    assert refused.exit_code == 2
    assert "--ray is of no use with --queue" in refused.output


def test_no_job_is_started_for_a_model_that_cannot_be_loaded(tmp_path: Path):
    settings, info = Settings(data_dir=tmp_path), FakeEmbedder().info
    versions = FaissVersions(tmp_path / "index", settings)
    index = versions.create(
        model=info.name,
        fingerprint=info.fingerprint,
        dimension=info.dimension,
        schema=MAPPING.schema(),
        mapping=MAPPING.to_dict(),
    )
    versions.complete(index.info.name, VersionFilling("cpu", "int8", 16, 1.0))
    versions.publish(index.info.name)
    versions.close()
    error = CliRunner().invoke(reindex, ["--model", "./no-such-folder"]).exception
    assert isinstance(error, ModelUnavailable)
    with open_admin(settings) as (admin, _):
        assert admin.jobs(limit=1) == []
