"""A reindex from a source: nothing shrinks by accident, and pictures that cannot be had are
carried over."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.jobs.models import JobState
from tests.shop import NEW, OLD, picture, product
from tests.unit.jobs.desk import COUNT, Desk


def catalogue(folder: Path, numbers: Collection[int], missing: Collection[int] = ()) -> str:
    """A file of these products at twice their price; some without the file of their picture."""
    rows = []
    for number in numbers:
        if number not in missing:
            (folder / f"{number}.png").write_bytes(picture(number))
        rows.append(
            {
                "id": product(number).id,
                "title": f"Product {number}",
                "price": 2 * number,
                "in_stock": True,
                "image": f"{number}.png",
            }
        )
    file = folder / "shop.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return str(file)


def prices(desk: Desk) -> dict[str, float | None]:
    return {r.product.id: r.product.price for batch in desk.live.scan() for r in batch}


def test_a_source_that_lacks_too_many_products_is_not_published(desk: Desk, tmp_path: Path):
    before = desk.live.info.name
    source = catalogue(tmp_path, range(50))
    job = desk.finish(desk.admin.reindex(source=source, model=OLD))
    assert job.state is JobState.FAILED
    assert "40 of 90 live products (44 %) are not in" in (job.error or "")
    assert desk.live.info.name == before
    job = desk.finish(desk.admin.reindex(source=source, model=OLD, allow_shrink=True))
    assert (job.state, job.error) == (JobState.DONE, None)
    assert prices(desk) == {product(n).id: 2.0 * n for n in range(50)}


@pytest.mark.parametrize("model", [OLD, NEW])
def test_a_product_whose_picture_is_gone_is_carried_over_with_the_one_it_had(
    desk: Desk, tmp_path: Path, model: str
):
    source = catalogue(tmp_path, range(COUNT), missing=(3, 70))
    job = desk.finish(desk.admin.reindex(source=source, model=model))
    assert (job.state, job.done, job.failed_items) == (JobState.DONE, COUNT - 2, 2)
    assert desk.live.info.model == model
    assert prices(desk) == {product(n).id: 2.0 * n for n in range(COUNT)}
    for number in (3, 70):
        record: Any = desk.live.get([product(number).id])[product(number).id]
        expected = desk.shop.embed(model, picture(number))
        np.testing.assert_allclose(record.vector, expected, atol=1e-6)
