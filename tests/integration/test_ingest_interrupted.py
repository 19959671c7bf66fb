"""An ingest that is killed goes on where it was."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingest.failures import open_ledger
from tests.fakes import COLORS, FakeEmbedder
from tests.integration.ingest_process import main
from tests.support.forked import Forked
from tests.unit.ingest.catalogue import picture
from tests.unit.ingest.test_decoding import await_end
from vitrine.errors import NoLiveVersion
from vitrine.images.decode import ImageLimits, decode
from vitrine.index.faiss import open_versions
from vitrine.settings import Settings
from vitrine.words import product_text

PRODUCTS = 500
BROKEN = (13, 250, 499)
KILLS = 20
MAPPING = """
[product]
id = "id"
title = "name"
image = "image"
price = "price"
color = "color"
"""


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    colors = list(COLORS)
    rows: list[dict[str, Any]] = []
    for n in range(PRODUCTS):
        data = b"no picture" if n in BROKEN else picture(colors[n % len(colors)], number=n)
        rows.append(
            {
                "id": f"p{n:03d}",
                "name": f"thing {n}",
                "image": data,
                "price": str(n),
                "color": colors[n % len(colors)],
            }
        )
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "products.parquet", row_group_size=50)
    (tmp_path / "shop.toml").write_text(MAPPING)
    return tmp_path / "products.parquet"


class Ingest:
    """The process; what it has acknowledged is read from its output."""

    def __init__(self, catalogue: Path, *, seconds_per_image: float = 0, **end: float) -> None:
        """`end` says when it kills itself (`ingest_process.main`)."""
        folder = catalogue.parent
        places = [str(path) for path in (catalogue, folder / "shop.toml", folder / "data")]
        self._process = Forked(partial(main, **end), *places, seconds_per_image)
        self.acknowledged = 0
        self.children: list[int] = []
        self.summary: dict[str, Any] | None = None

    def die(self) -> None:
        """Wait until it has killed itself."""
        self._read()
        assert self._process.status == -signal.SIGKILL

    def finish(self) -> dict[str, Any]:
        """Let it run to its end."""
        self._read()
        assert self._process.status == 0
        assert self.summary is not None
        return self.summary

    def _read(self) -> None:
        for line in self._process.rest().splitlines():
            if line.startswith("ack "):
                self.acknowledged = int(line.removeprefix("ack "))
            elif line.startswith("children "):
                self.children = [int(word) for word in line.split()[1:]]
            elif line.startswith("{"):
                self.summary = json.loads(line)


def stored(settings: Settings) -> list[str]:
    """The ids in all versions together, in whatever state they are."""
    with closing(open_versions(settings)) as versions:
        names = [info.name for info in versions.list()]
        assert len(names) <= 1, "an interrupted run is continued, not begun again beside itself"
        return [
            record.product.id
            for name in names
            for batch in versions.open(name).scan()
            for record in batch
        ]


def test_killed_at_twenty_random_moments_nothing_is_lost_or_doubled(catalogue: Path) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    moments = random.Random(seed)
    settings = Settings(data_dir=catalogue.parent / "data")
    acknowledged, incomplete = 0, 0
    for _ in range(KILLS):
        ingest = Ingest(catalogue, seconds_per_image=0.01, moment=moments.uniform(0.0, 0.15))
        ingest.die()
        acknowledged += ingest.acknowledged
        ids = stored(settings)
        assert len(ids) == len(set(ids))
        assert len(ids) >= acknowledged, "what was acknowledged is there"
        if len(ids) < PRODUCTS - len(BROKEN):
            incomplete += 1
            with closing(open_versions(settings)) as versions, pytest.raises(NoLiveVersion):
                versions.live()
    assert incomplete >= KILLS // 2, "most kills must hit a run in the middle"
    summary = Ingest(catalogue).finish()
    assert summary["done"] + summary["unchanged"] == PRODUCTS - len(BROKEN)
    _check_all(settings)


def _check_all(settings: Settings) -> None:
    """Every good product once, with its own picture and vector.

    Every broken one in the ledger once.
    """
    from vitrine.images.store import open_store

    images, model = open_store(settings), FakeEmbedder()
    with closing(open_versions(settings)) as versions:
        records = {
            record.product.id: record for batch in versions.live().scan() for record in batch
        }
    assert sorted(records) == [f"p{n:03d}" for n in range(PRODUCTS) if n not in BROKEN]
    for n in random.Random(1).sample([n for n in range(PRODUCTS) if n not in BROKEN], 50):
        record = records[f"p{n:03d}"]
        data = images.get(record.image_key)
        assert data == picture(list(COLORS)[n % len(COLORS)], number=n)
        expected = model.embed_images([decode(data, ImageLimits.of(settings))])[0]
        assert float(record.vector @ expected) > 0.99999
        assert record.product.price == n
    found, total = open_ledger(settings).entries()
    assert sorted(one.id for one in found) == [f"p{n:03d}" for n in BROKEN]
    assert total == len(BROKEN)


VIEWS = 3
"""Pictures of each product; batches of eight end in the middle of one."""


def test_killed_between_the_pictures_of_a_product_it_has_all_of_them_or_is_not_there(
    tmp_path: Path,
) -> None:
    numbers = {f"p{n:02d}": range(VIEWS * n, VIEWS * (n + 1)) for n in range(40)}
    rows = [
        {
            "id": name,
            "name": f"thing {name}",
            "image": [picture("red", number=number) for number in views],
            "price": "1",
            "color": "red",
        }
        for name, views in numbers.items()
    ]
    catalogue = tmp_path / "products.parquet"
    pq.write_table(pa.Table.from_pylist(rows), catalogue)
    (tmp_path / "shop.toml").write_text(MAPPING)
    settings = Settings(data_dir=tmp_path / "data")
    # Far beyond the first batch that is written (48 pictures), whatever is with the model by then.
    Ingest(catalogue, images=88).die()
    assert 0 < len(_check_views(settings, numbers)) < len(numbers)
    Ingest(catalogue).finish()
    assert _check_views(settings, numbers) == numbers.keys()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_killed_with_processes_that_decode_it_leaves_none_and_ends_as_if_undisturbed(
    tmp_path: Path,
) -> None:
    results = []
    for name in ("killed", "undisturbed"):
        folder = tmp_path / name
        folder.mkdir()
        rows = [
            {
                "id": f"p{n:02d}",
                "name": f"thing {n}",
                "image": picture("red", number=n) if n not in (3, 55) else b"no picture",
                "price": str(n),
                "color": "red",
            }
            for n in range(80)
        ]
        pq.write_table(pa.Table.from_pylist(rows), folder / "products.parquet")
        (folder / "shop.toml").write_text(MAPPING)
        settings = Settings(data_dir=folder / "data")
        if name == "killed":
            ingest = Ingest(folder / "products.parquet", images=56, processes=1)
            ingest.die()
            assert len(ingest.children) == 1
            await_end(ingest.children)
            assert 0 < len(stored(settings)) < 78
        Ingest(folder / "products.parquet", processes=int(name == "killed")).finish()
        with closing(open_versions(settings)) as versions:
            results.append({r.product.id: r for batch in versions.live().scan() for r in batch})
        failed, _ = open_ledger(settings).entries()
        assert sorted(each.id for each in failed) == ["p03", "p55"]
        assert not list(folder.rglob("*.part"))
    killed, undisturbed = results
    assert killed.keys() == undisturbed.keys()
    for product_id, record in killed.items():
        other = undisturbed[product_id]
        assert (record.product, record.image_keys) == (other.product, other.image_keys)
        np.testing.assert_array_equal(record.vectors, other.vectors)


def _check_views(settings: Settings, numbers: dict[str, range]) -> set[str]:
    """The ids that are there, each with the keys and vectors of all its pictures and its words."""
    model = FakeEmbedder()
    ids = set()
    with closing(open_versions(settings)) as versions:
        for info in versions.list():
            for record in (r for batch in versions.open(info.name).scan() for r in batch):
                data = [picture("red", number=n) for n in numbers[record.product.id]]
                assert record.image_keys == tuple(hashlib.sha256(d).hexdigest() for d in data)
                images = [decode(d, ImageLimits.of(settings)) for d in data]
                np.testing.assert_allclose(record.vectors, model.embed_images(images), atol=1e-6)
                text = model.embed_texts([product_text(record.product)])[0]
                np.testing.assert_allclose(record.text_vector, text, atol=1e-6)
                ids.add(record.product.id)
    return ids
