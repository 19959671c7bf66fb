"""The whole road on one catalogue: files, ingest, service, answers.

Each answer compared with a brute-force one.

The oracle reads the catalogue's raw rows and embeds every picture by itself, so a row that met
another row's vector, a filter read wrongly or a page that lost a product all show. By default the
catalogue is drawn; with VITRINE_TEST_CATALOGUE naming a folder with products.jsonl in the Magento
export's shape, it is that one.
"""

from __future__ import annotations

import base64
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from numpy.typing import NDArray

from demo.drawing import PATTERNS, draw, random_item
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import run
from service import create_app
from vitrine.fields import Mapping
from vitrine.images.decode import ImageLimits, decode
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

ROOT = Path(__file__).parents[2]
MAPPING = ROOT / "docs" / "mappings" / "magento.toml"
GIVEN = os.environ.get("VITRINE_TEST_CATALOGUE")
SEED = int(os.environ.get("VITRINE_TEST_SEED", "20260101"))
QUERIES = 500
FAMILIES = {"lavender": "purple"}
TEXTS = (
    "red dress",
    "warm jacket for running",
    "bag",
    "something blue",
    "gray trousers",
    "a mug",
    "black shoes",
    "yoga",
)


@dataclass
class Shop:
    """A served catalogue, its raw rows, and the rows' vectors as the oracle has them."""

    client: FlaskClient
    vitrine: Vitrine
    rows: list[dict[str, Any]]
    vectors: NDArray[np.float64]
    pictures: list[Path]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = Path(GIVEN) if GIVEN else _drawn_catalogue(tmp_path_factory.mktemp("catalogue"))
    rows = [
        json.loads(line) for line in (folder / "products.jsonl").read_text("utf-8").splitlines()
    ]
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"), model="bundled", runtime="torch", model_threads=1
    )
    vitrine = Vitrine(settings)
    summary = run(
        vitrine, open_source(str(folder / "products.jsonl"), settings), Mapping.load(str(MAPPING))
    )
    assert (summary.done, summary.failed, summary.published) == (len(rows), 0, True)
    pictures = [folder / row["image"] for row in rows]
    embedder = vitrine.embedder
    limits = ImageLimits.of(settings)
    decoded = [
        decode(p.read_bytes(), limits, at_least=embedder.info.image_size)
        for p in reversed(pictures)
    ]
    vectors = np.concatenate(
        [embedder.embed_images(decoded[start : start + 13]) for start in range(0, len(decoded), 13)]
    )[::-1]
    yield Shop(
        create_app(vitrine).test_client(), vitrine, rows, vectors.astype(np.float64), pictures
    )
    vitrine.close()


def _drawn_catalogue(folder: Path) -> Path:
    rng = random.Random(SEED)
    (folder / "images").mkdir()
    lines = []
    for number in range(248):
        item = random_item(rng)
        draw(item, 128).save(folder / "images" / f"{number}.png")
        lines.append(
            {
                "id": f"item/{number:03d}",
                "parent": f"style {number // 4}",
                "image": f"images/{number}.png",
                "name": f"{item.color} {item.category} {number}",
                "price": round(rng.uniform(5, 120), 2),
                "color": item.color.title() if rng.random() < 0.9 else None,
                "category": [f"Shop/{item.category[0].upper()}/{item.category}", "Collections/New"][
                    : rng.choice((1, 1, 2))
                ],
                "pattern": [item.pattern] if item.pattern in PATTERNS else [],
                "material": [item.material],
                "description": f"A {item.pattern} {item.category}.",
                "sale": rng.random() < 0.3,
                **dict.fromkeys(("climate", "activity", "sizes", "eco_collection", "new")),
            }
        )
    (folder / "products.jsonl").write_text(
        "".join(json.dumps(line) + "\n" for line in lines), "utf-8"
    )
    return folder


def _families(row: dict[str, Any]) -> set[str]:
    word = (row.get("color") or "").lower()
    return {FAMILIES.get(word, word)} - {""}


def _prefixes(row: dict[str, Any]) -> set[str]:
    return {
        "/".join(parts[:n])
        for path in row.get("category") or []
        for parts in [path.split("/")]
        for n in range(1, len(parts) + 1)
    }


def _random_filter(rng: random.Random, rows: list[dict[str, Any]]) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    if rng.random() < 0.6:
        low, high = sorted(
            rng.choice([r for r in rows if r["price"] is not None])["price"] for _ in range(2)
        )
        wanted["price"] = rng.choice(({"gte": low}, {"lt": high}, {"gte": low, "lte": high}))
    if rng.random() < 0.5:
        wanted["color"] = [
            rng.choice(("Red", "blue", "black", "green", "purple", "lavender", "nosuch"))
            for _ in range(rng.randint(1, 3))
        ]
    if rng.random() < 0.5:
        wanted["category"] = rng.choice(sorted(_prefixes(rng.choice(rows))) or ["Shop"])
    if rng.random() < 0.2:
        wanted["sale"] = rng.random() < 0.5
    return {"not": wanted} if wanted and rng.random() < 0.15 else wanted


def _passes(row: dict[str, Any], wanted: dict[str, Any]) -> bool:
    if "not" in wanted:
        return not _passes(row, wanted["not"])
    price, bounds = row["price"], wanted.get("price", {})
    if price is None and bounds:
        return False
    if price is not None and (
        price < bounds.get("gte", price)
        or price > bounds.get("lte", price)
        or not price < bounds.get("lt", price + 1)
    ):
        return False
    if "color" in wanted and not {c.lower() for c in wanted["color"]} & (
        _families(row) | {(row.get("color") or "").lower()}
    ):
        return False
    if "category" in wanted and wanted["category"] not in _prefixes(row):
        return False
    return "sale" not in wanted or row.get("sale") is wanted["sale"]


def _random_parts(rng: random.Random, shop: Shop) -> tuple[dict[str, Any], NDArray[np.float64]]:
    """The query's own fields, and its vector as the oracle mixes it."""
    embedder = shop.vitrine.embedder
    asked: dict[str, Any] = {}
    mixed = np.zeros(shop.vectors.shape[1])
    kinds = rng.sample(("text", "image", "like"), rng.choice((1, 1, 2, 3)))
    if "text" in kinds:
        weights = rng.choice(([1.0], [1.0, -0.5], [0.7, 1.3]))
        asked["text"] = [
            {"text": text, "weight": w}
            for text, w in zip(rng.sample(TEXTS, len(weights)), weights, strict=True)
        ]
        mixed += sum(
            t["weight"] * embedder.embed_texts([t["text"]])[0].astype(np.float64)
            for t in asked["text"]
        )
    if "image" in kinds:
        number = rng.randrange(len(shop.rows))
        asked["image"] = {"base64": base64.b64encode(shop.pictures[number].read_bytes()).decode()}
        mixed += shop.vectors[number]
    if "like" in kinds:
        number = rng.randrange(len(shop.rows))
        asked["like"] = [shop.rows[number]["id"]]
        mixed += shop.vectors[number]
    return asked, mixed / np.linalg.norm(mixed)


def _same_order(
    found: list[tuple[str, float]], expected: list[tuple[str, float]], scores: dict[str, float]
) -> None:
    assert [s for _, s in found] == pytest.approx([s for _, s in expected], abs=1e-5)
    for (id_found, _), (id_expected, _) in zip(found, expected, strict=True):
        # Only products whose scores agree to float noise may have changed places.
        assert id_found == id_expected or abs(scores[id_found] - scores[id_expected]) < 3e-6, (
            id_found,
            id_expected,
        )


def test_random_queries_with_random_filters_give_what_brute_force_gives(shop: Shop):
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    answered = 0
    for _ in range(QUERIES):
        asked, vector = _random_parts(rng, shop)
        wanted = _random_filter(rng, shop.rows)
        limit = rng.choice((1, 7, 24, 200))
        answer = shop.client.post(
            "/v1/search",
            json={
                **asked,
                "filter": wanted,
                "limit": limit,
                "ranking": "vector",
                "include_examples": True,
                "facets": ["color", "category", "price"],
            },
        )
        assert answer.status_code == 200, answer.json
        body = answer.json
        scores = {
            row["id"]: float(v @ vector)
            for row, v in zip(shop.rows, shop.vectors, strict=True)
            if _passes(row, wanted)
        }
        expected = sorted(scores.items(), key=lambda pair: (-round(pair[1], 6), pair[0]))
        _same_order([(h["id"], h["score"]) for h in body["hits"]], expected[:limit], scores)
        assert body["total"] == body["plan"]["matching"] == len(expected)
        _same_facets(body["facets"], [row for row in shop.rows if row["id"] in scores])
        answered += bool(expected)
    assert answered > QUERIES / 2


def _same_facets(facets: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    assert {v["value"]: v["count"] for v in facets["color"]} == Counter(
        c for row in rows for c in _families(row)
    )
    counted = Counter(c for row in rows for c in _prefixes(row))
    levels: dict[int, list[str]] = {}
    for value in sorted(counted, key=lambda path: (-counted[path], path)):
        levels.setdefault(value.count("/"), []).append(value)
    assert max(map(len, levels.values()), default=0) <= 50, "every level is listed whole"
    assert {v["value"]: v["count"] for v in facets["category"]} == counted
    prices = [row["price"] for row in rows if row["price"] is not None]
    assert (facets["price"]["min"], facets["price"]["max"]) == (
        (min(prices), max(prices)) if prices else (None, None)
    )
    buckets = facets["price"]["buckets"]
    edges = [b["from"] for b in buckets] + [b["to"] for b in buckets[-1:]]
    assert [b["count"] for b in buckets] == (
        np.histogram(prices, edges)[0].tolist() if prices else []
    )


@pytest.mark.parametrize(
    "question",
    [
        {"text": "red dress"},
        {},
        {"text": "bag", "sort": "-price"},
        {"sort": "price"},
        {"sort": "title"},
    ],
)
def test_every_page_size_walks_the_same_products_in_the_same_order(
    shop: Shop, question: dict[str, Any]
):
    walks = {
        size: _walk(shop, {**question, "filter": {"price": {"gte": 10}}}, size)
        for size in (1, 7, 24)
    }
    expected = {row["id"] for row in shop.rows if (row["price"] or 0) >= 10}
    assert walks[1] == walks[7] == walks[24]
    by_vector = {**question, "ranking": "vector", "filter": {"price": {"gte": 10}}}
    everything = _walk(shop, by_vector, 24)
    assert len(everything) == len(expected)
    assert set(everything) == expected
    assert set(walks[1]) <= expected
    if "text" not in question:
        assert walks[1] == everything


def _walk(shop: Shop, question: dict[str, Any], size: int) -> list[str]:
    found, cursor = [], None
    while True:
        body = shop.client.post(
            "/v1/search", json={**question, "limit": size, "cursor": cursor}
        ).json
        assert len(body["hits"]) <= size
        found += [h["id"] for h in body["hits"]]
        cursor = body["next_cursor"]
        if cursor is None:
            assert body["total"] == len(found)
            return found


def test_similar_products_exclude_the_product_itself(shop: Shop):
    for row in random.Random(SEED).sample(shop.rows, 20):
        body = shop.client.get(f"/v1/products/{row['id']}/similar?limit=10&own_group=true").json
        assert row["id"] not in [h["id"] for h in body["hits"]]
        assert body["total"] == len(shop.rows) - 1
        others = shop.client.get(f"/v1/products/{row['id']}/similar?limit=10").json
        own_group = sum(other["parent"] == row["parent"] for other in shop.rows)
        assert others["total"] == len(shop.rows) - own_group
