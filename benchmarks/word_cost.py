"""What words add to filling and completing a version: the same products with them and without."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path
from time import process_time
from unittest.mock import patch

import numpy as np

from benchmarks.named_products import MAPPING, products
from vitrine.embedding import Embedder
from vitrine.index.faiss.columns.layout import EXACT, WORDS, Layout, layout
from vitrine.index.faiss.versions import FaissVersions, factory
from vitrine.learning import learn_version
from vitrine.products import Record
from vitrine.settings import Settings

__all__ = ["words_core_s"]


def words_core_s(embedder: Embedder, *, count: int, prose: int, rounds: int) -> float:
    """Seconds of a core that the words of `count` products take, whose descriptions have `prose`
    words: splitting and counting them, the word index, and learning from the version with the
    model's vectors of about 500 texts.

    Vectors of pictures and texts are ready, so that only the words differ. The least of `rounds`
    in turns, of versions with words and without.
    """
    records = _records(count, prose, embedder.info.dimension)
    spent: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(rounds):
        for with_words, seconds in spent.items():
            seconds.append(_filling_s(records, embedder, with_words=with_words))
    return min(spent[True]) - min(spent[False])


def _records(count: int, prose: int, dimension: int) -> list[Record]:
    rows = np.random.default_rng(6).standard_normal((2 * count, dimension), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    named = products(count, seed=3, prose=prose)
    return [
        Record(product, rows[number][None], ("0" * 64,), text_vector=rows[count + number])
        for number, product in enumerate(named)
    ]


def _filling_s(records: list[Record], embedder: Embedder, *, with_words: bool) -> float:
    """Seconds of a core from an empty version to a complete one."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        # words are no setting: a version without them is one without their columns that never
        # learns
        with (
            patch.object(factory, "layout", layout if with_words else _without_words),
            closing(FaissVersions(Path(folder) / "index", settings)) as versions,
        ):
            began = process_time()
            index = versions.create(
                model="measured",
                fingerprint="0" * 64,
                dimension=embedder.info.dimension,
                schema=MAPPING.schema(),
                mapping=MAPPING.to_dict(),
                text_vectors=True,
            )
            for start in range(0, len(records), settings.write_batch):
                index.upsert(records[start : start + settings.write_batch])
            if with_words:
                learn_version(versions, index, embedder)
            versions.complete(index.info.name)
            return process_time() - began


def _without_words(*arguments: object) -> Layout:
    columns = layout(*arguments)  # type: ignore[arg-type]  # those of `layout`
    return {name: kind for name, kind in columns.items() if name not in (WORDS, EXACT)}
