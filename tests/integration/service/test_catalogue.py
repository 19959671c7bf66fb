"""The whole way over HTTP on the embedded backend: found, counted and paged as a comparison one
by one says; seen when written."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from service import create_app
from tests.fakes import COLORS, FakeEmbedder
from tests.support.waiting import until
from tests.unit.service.checking import CheckingClient
from vitrine.fields.schema import Field, FieldType, Schema
from vitrine.images.store import open_store
from vitrine.index import IndexVersions
from vitrine.index.faiss import open_versions
from vitrine.products import Product, Record
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

SEED = 20261123
TOKEN = "a-token-of-the-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
SCHEMA = Schema(
    tuple(
        Field(name, kind)
        for name, kind in {
            "id": FieldType.KEYWORD,
            "title": FieldType.TEXT,
            "price": FieldType.MONEY,
            "color": FieldType.COLOR,
            "category": FieldType.PATH,
            "in_stock": FieldType.BOOL,
            "group_id": FieldType.KEYWORD,
        }.items()
    )
)
CATEGORIES = ("Dresses/Long", "Dresses/Short", "Kitchen/Mugs", "Shoes")


@dataclass
class Catalogue:
    client: CheckingClient
    versions: IndexVersions
    embedder: FakeEmbedder
    records: list[Record]
    rng: random.Random


def made(rng: random.Random, embedder: FakeEmbedder, number: int) -> Record:
    color = rng.choice(list(COLORS))
    vector = embedder.embed_texts([f"{color} thing {rng.randrange(40)}"])[0]
    return Record.of_picture(
        Product(
            id=f"p{number:03}",
            title=f"{color} thing {number}",
            price=None if rng.random() < 0.1 else rng.randrange(2000) / 10,
            color=(color,),
            colors=(color,),
            category=(rng.choice(CATEGORIES),),
            in_stock=rng.random() < 0.7,
            group_id=f"g{number % 50}",
        ),
        vector,
        f"{number:064x}",
    )


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    print(f"seed {SEED}")
    rng, embedder = random.Random(SEED), FakeEmbedder()
    settings = Settings(data_dir=tmp_path, model="fake", admin_token=TOKEN)
    versions = open_versions(settings)
    records = [made(rng, embedder, number) for number in range(150)]
    publish(versions, embedder, records)
    app = create_app(
        Vitrine(
            settings, embedder=lambda _: embedder, versions=versions, images=open_store(settings)
        )
    )
    app.test_client_class = CheckingClient
    client = app.test_client()
    client.read_description()
    return Catalogue(client, versions, embedder, records, rng)


def publish(versions: IndexVersions, embedder: FakeEmbedder, records: list[Record]) -> str:
    info = embedder.info
    index = versions.create(
        model=info.name,
        fingerprint=info.fingerprint,
        dimension=info.dimension,
        schema=SCHEMA,
        mapping={},
    )
    index.upsert(records)
    versions.complete(index.info.name)
    versions.publish(index.info.name)
    return index.info.name


def wanted(rng: random.Random) -> dict:
    """A random filter as JSON."""
    low = rng.randrange(100)
    some = {
        "color": rng.sample(list(COLORS), 2),
        "price": {"gte": low, "lt": low + rng.randrange(1, 100)},
        "category": rng.choice(["Dresses", "Dresses/Long", "Kitchen", "Shoes"]),
        "in_stock": rng.random() < 0.8,
        "not": {"color": rng.choice(list(COLORS))},
    }
    return {name: some[name] for name in rng.sample(list(some), rng.randrange(4))}


def fits(product: Product, asked: dict) -> bool:
    """The filter's meaning, written down once more."""
    bounds = asked.get("price")
    return (
        ("color" not in asked or product.color[0] in asked["color"])
        and (
            bounds is None
            or (product.price is not None and bounds["gte"] <= product.price < bounds["lt"])
        )
        and (
            "category" not in asked or f"{product.category[0]}/".startswith(f"{asked['category']}/")
        )
        and ("in_stock" not in asked or product.in_stock is asked["in_stock"])
        and ("not" not in asked or product.color[0] != asked["not"]["color"])
    )


def expected(catalogue: Catalogue, asked: dict, vector: np.ndarray) -> list[tuple[str, float]]:
    left = [r for r in catalogue.records if fits(r.product, asked)]
    scores = {r.product.id: round(float(r.vector @ vector), 6) for r in left}
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def test_random_queries_find_what_a_comparison_one_by_one_finds(catalogue: Catalogue):
    for _ in range(60):
        asked, text = (
            wanted(catalogue.rng),
            f"{catalogue.rng.choice(list(COLORS))} thing {catalogue.rng.randrange(40)}",
        )
        body = {"text": text, "filter": asked, "facets": ["color", "price"], "limit": 20}
        answer = catalogue.client.post("/v1/search", json=body).get_json()
        oracle = expected(catalogue, asked, catalogue.embedder.embed_texts([text])[0])
        assert [hit["id"] for hit in answer["hits"]] == [i for i, _ in oracle[:20]], body
        assert [hit["score"] for hit in answer["hits"]] == pytest.approx(
            [s for _, s in oracle[:20]], abs=1e-5
        )
        assert answer["total"] == answer["plan"]["matching"] == len(oracle)
        products = {r.product.id: r.product for r in catalogue.records}
        colors = [products[i].color[0] for i, _ in oracle]
        assert {f["value"]: f["count"] for f in answer["facets"]["color"]} == {
            c: colors.count(c) for c in set(colors)
        }
        prices = [products[i].price for i, _ in oracle if products[i].price is not None]
        assert sum(bucket["count"] for bucket in answer["facets"]["price"]["buckets"]) == len(
            prices
        )
        assert answer["facets"]["price"]["min"] == (min(prices) if prices else None)


@pytest.mark.parametrize("sort", ["relevance", "price", "-price", "title"])
def test_walking_pages_of_any_size_gives_the_same_sequence(catalogue: Catalogue, sort: str):
    def walk(limit: int) -> list[str]:
        found, cursor = [], None
        while True:
            asked = {"q": "red thing", "in_stock": "true", "sort": sort, "limit": limit} | (
                {"cursor": cursor} if cursor else {}
            )
            answer = catalogue.client.get("/v1/search", query_string=asked).get_json()
            found += [hit["id"] for hit in answer["hits"]]
            cursor = answer["next_cursor"]
            if cursor is None:
                return found

    whole = walk(200)
    assert len(whole) == len(set(whole)) == sum(r.product.in_stock for r in catalogue.records)
    assert walk(24) == whole
    assert walk(7) == whole


def test_the_next_query_sees_a_write_and_a_rollback(catalogue: Catalogue):
    client = catalogue.client
    first = catalogue.versions.live()
    first.patch("p000", {"price": 12345.0})
    assert client.get("/v1/products/p000").get_json()["product"]["price"] == 12345.0
    first.delete(["p001"])
    assert client.get("/v1/products/p001").status_code == 404
    second = publish(catalogue.versions, catalogue.embedder, catalogue.records[:10])
    until(lambda: client.get("/v1/search").get_json()["index"]["version"] == second)
    assert client.get("/v1/search").get_json()["total"] == 10
    assert client.post(
        f"/v1/admin/versions/{first.info.name}/publish", headers=BEARER
    ).get_json() == {
        "live": first.info.name,
        "previous": second,
    }
    assert client.get("/v1/search").get_json()["total"] == 149
    assert client.delete(f"/v1/admin/versions/{first.info.name}", headers=BEARER).status_code == 409
    assert client.delete(f"/v1/admin/versions/{second}", headers=BEARER).status_code == 204
    listed = client.get("/v1/admin/versions", headers=BEARER).get_json()["versions"]
    assert [(v["name"], v["state"], v["count"]) for v in listed] == [(first.info.name, "live", 149)]


def test_a_cursor_outlives_the_publication_of_another_version_and_not_its_own_removal(
    catalogue: Catalogue,
):
    first = catalogue.client.get("/v1/search?q=red&limit=5").get_json()
    publish(catalogue.versions, catalogue.embedder, catalogue.records[:10])
    address = {"q": "red", "limit": 5, "cursor": first["next_cursor"]}
    assert (
        catalogue.client.get("/v1/search", query_string=address).get_json()["index"]["version"]
        == first["index"]["version"]
    )
    catalogue.versions.discard(first["index"]["version"])
    response = catalogue.client.get("/v1/search", query_string=address)
    assert response.status_code == 422
    assert "has expired" in response.get_json()["detail"]


def test_work_is_accepted_by_the_job_engine_and_told_by_it(catalogue: Catalogue, tmp_path: Path):
    client = catalogue.client
    picture = tmp_path / "picture.png"
    Image.new("RGB", (20, 20), COLORS["red"]).save(picture)
    queued = client.put(
        "/v1/admin/products",
        headers=BEARER,
        json=[{"id": "new", "title": "New", "image": f"https://shop.example/{picture.name}"}],
    )
    assert queued.status_code == 202
    job = client.get(queued.get_json()["status_url"], headers=BEARER).get_json()
    assert (job["kind"], job["state"], job["total"]) == ("upsert", "queued", 1)
    client.patch("/v1/admin/products/p002", headers=BEARER, json={"price": "1.099,00"})
    client.delete("/v1/admin/products/p003", headers=BEARER)
    assert [j["kind"] for j in client.get("/v1/admin/jobs", headers=BEARER).get_json()["jobs"]] == [
        "delete",
        "patch",
        "upsert",
    ]
    assert (
        client.post(f"/v1/admin/jobs/{job['id']}/cancel", headers=BEARER).get_json()["state"]
        == "cancelled"
    )
    assert client.post(f"/v1/admin/jobs/{job['id']}/cancel", headers=BEARER).status_code == 409
    reindex = client.post("/v1/admin/reindex", headers=BEARER, json={})
    assert reindex.status_code == 202
    again = client.post("/v1/admin/reindex", headers=BEARER, json={})
    assert (again.status_code, again.get_json()["job_id"]) == (409, reindex.get_json()["job_id"])
    assert client.get("/v1/admin/failures", headers=BEARER).get_json() == {
        "failures": [],
        "total": 0,
        "warnings": [],
        "groups": [],
    }
    assert client.post("/v1/admin/failures/retry", headers=BEARER).status_code == 202
    assert client.get("/v1/admin/jobs/nobody", headers=BEARER).status_code == 404
