"""Putting one version's parts together."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from vitrine.cores import usable_cores
from vitrine.index.faiss.columns.layout import layout
from vitrine.index.faiss.index import FaissIndex
from vitrine.index.faiss.query.planner import Planner
from vitrine.index.faiss.reader import StateReader
from vitrine.index.faiss.records.search_model import SEARCH_MODEL, SearchModelFile
from vitrine.index.faiss.records.store import RecordStore
from vitrine.index.faiss.snapshots.compaction import Compactor
from vitrine.index.faiss.snapshots.snapshots import Snapshots
from vitrine.index.faiss.vectors.build import BuildOptions
from vitrine.index.faiss.vectors.search_device import SearchDevice
from vitrine.index.fusion import language_of
from vitrine.index.ports import VersionInfo
from vitrine.settings import FaissSettings
from vitrine.words import analyzer_of

__all__ = ["open_index"]

PROGRAM = "vitrine.index.faiss.versions.snapshot_program"


def open_index(
    records: Path,
    info: Callable[[], VersionInfo],
    settings: FaissSettings,
    *,
    planner: Planner | None = None,
    device: SearchDevice | None = None,
) -> FaissIndex:
    """The index over a record file; derived files lie in the folder `derived` beside it."""
    version = info()
    columns = layout(version.schema, analyzer_of(language_of(version.mapping)))
    options = BuildOptions(
        quantize_from=settings.quantize_from,
        one_bit_from=settings.rabitq_from,
        graph_from=settings.hnsw_from,
        m=settings.hnsw_m,
        ef_construct=settings.hnsw_ef_construct,
        threads=usable_cores(),
        device=device,
    )
    store = RecordStore(records, dimension=version.dimension, timeout_s=settings.index_timeout_s)
    snapshots = Snapshots(
        records.parent / "derived", columns, dimension=version.dimension, options=options
    )
    return FaissIndex(
        replace(version, count=store.count()),
        store,
        StateReader(store, snapshots, columns, timeout_s=settings.index_timeout_s, device=device),
        planner=planner or Planner(ef=settings.hnsw_ef),
        search_models=SearchModelFile(records.parent / SEARCH_MODEL),
        compactor=Compactor(
            snapshots,
            command=partial(_snapshot_command, records.parent, settings, options),
            timeout_s=settings.index_timeout_s,
        ),
    )


def _snapshot_command(folder: Path, settings: FaissSettings, options: BuildOptions) -> list[str]:
    """The command that writes a snapshot of the version in a folder.

    It needs no device; where one takes the graph's place, it makes no graph.
    """
    if not options.makes_graph(options.graph_from):
        settings = settings.model_copy(update={"hnsw_from": sys.maxsize})
    shared = settings.model_dump_json(
        include=set(FaissSettings.model_fields), exclude={"search_device", "secret_key"}
    )
    return [sys.executable, "-m", PROGRAM, str(folder.absolute()), shared]
