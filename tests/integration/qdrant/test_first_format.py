"""A collection made by the release that kept one picture of a product opens and answers as before.

`first_format.json` is one, as that release wrote it: how it was created, and its points beside the
products and vectors that were given.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from qdrant_client import QdrantClient, models

from ingest.admin import Admin
from ingest.jobs.factory import open_store
from ingest.jobs.models import JobState
from ingest.tasks.runner import Runner
from tests.contract import oracle
from tests.contract.catalogue import DIMENSION, make_record
from tests.contract.questions import random_query
from tests.contract.test_search import check
from tests.contract.test_walks import walk
from tests.fakes import FakeEmbedder
from tests.integration.qdrant.engine import Engine
from tests.integration.qdrant.grpc_server import serve
from tests.shop import open_shop
from tests.support.noted import noted
from vitrine.errors import Conflict, InvalidProduct
from vitrine.fields.schema import Field, FieldType
from vitrine.index import IndexQuery, IndexVersions, VectorIndex
from vitrine.index.product_json import product_from_json, product_hash
from vitrine.index.qdrant.connection import Connection
from vitrine.index.qdrant.layout import Index
from vitrine.index.qdrant.point import NewPoint
from vitrine.index.qdrant.versions import QdrantVersions
from vitrine.products import Product, Record
from vitrine.queries import Sort
from vitrine.settings import Settings

pytestmark = pytest.mark.timeout(600)  # a busy machine is slow

COLLECTION = json.loads((Path(__file__).parent / "first_format.json").read_text())
NAME: str = COLLECTION["name"]
INDEX: TypeAdapter[Index] = TypeAdapter(Index)


def stored_records() -> list[Record]:
    """What the release was given."""
    return [
        Record.of_picture(
            product_from_json(json.dumps(point["product"]).encode()),
            np.asarray(point["vector"], np.float32),
            point["payload"]["_image_key"],
        )
        for point in COLLECTION["points"]
    ]


def make_collection(connection: Connection) -> None:
    """The collection as that release left it: live."""
    vectors = {n: models.VectorParams(**p) for n, p in COLLECTION["vectors_config"].items()}
    connection.manage(
        "create_collection",
        collection_name=NAME,
        metadata=COLLECTION["metadata"],
        vectors_config=vectors,
        hnsw_config=models.HnswConfigDiff(m=16, ef_construct=200),
        strict_mode_config=models.StrictModeConfig(
            enabled=True, unindexed_filtering_retrieve=False
        ),
    )
    for key, made in COLLECTION["payload_indexes"].items() if not connection.local else ():
        connection.write(
            "create_payload_index",
            collection_name=NAME,
            field_name=key,
            field_schema=INDEX.validate_python(made),
            wait=True,
        )
    points = [
        NewPoint(p["id"], p["payload"], {"image": np.asarray(p["vector"], np.float32)})
        for p in COLLECTION["points"]
    ]
    connection.write(
        "upsert",
        collection_name=NAME,
        points=[p.model() if connection.local else p for p in points],
        wait=True,
        ordering=models.WriteOrdering.MEDIUM,
    )
    alias = models.CreateAlias(collection_name=NAME, alias_name="vitrine-live")
    operations = [models.CreateAliasOperation(create_alias=alias)]
    connection.manage("update_collection_aliases", change_aliases_operations=operations)


@dataclass(frozen=True)
class Kept:
    """The versions on a Qdrant that keeps the collection, and how its points are read as they
    are."""

    versions: IndexVersions
    connection: Connection

    @property
    def index(self) -> VectorIndex:
        return self.versions.live()

    def payload(self, product_id: str) -> dict[str, Any]:
        point_id = next(p["id"] for p in COLLECTION["points"] if p["payload"]["id"] == product_id)
        (point,) = self.connection.read(
            "retrieve", collection_name=NAME, ids=[point_id], with_payload=True, with_vectors=False
        )
        return dict(point.payload)


@pytest.fixture(params=["local", "engine"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    with ExitStack() as ended:
        if request.param == "local":
            settings = Settings(qdrant_url=":memory:")
            client = ended.enter_context(closing(QdrantClient(":memory:")))
            connection = Connection(settings, client=client)
        else:
            port = ended.enter_context(serve(ended.enter_context(closing(Engine()))))
            settings = Settings(qdrant_url="http://127.0.0.1:1", qdrant_grpc_port=port)
            connection = Connection(settings)
        versions = QdrantVersions(connection, settings)
        ended.callback(versions.close)
        make_collection(connection)
        yield Kept(versions, connection)


def test_it_is_live_and_says_what_it_keeps(kept: Kept):
    (info,) = kept.versions.list()
    assert (info.state, info.count, info.max_images) == ("live", len(COLLECTION["points"]), 1)
    assert (info.text_vectors, info.words) == (False, False)


def equals_one(product: Product, field: Field, values: tuple[Any, ...], operand: Any) -> bool:
    """Texts were equal as they were written, colors casefolded."""
    if field.type is FieldType.PATH:
        return any(v == o or v.startswith(o + "/") for v in values for o in operand)
    if field.type is FieldType.COLOR:
        values = (*product.colors, *(v.strip().casefold() for v in values))
    return any(v == o for v in values for o in operand)


def test_random_queries_equal_the_oracle_that_compares_as_then(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(oracle, "folded", str.casefold)
    monkeypatch.setattr(oracle, "_equals_one", equals_one)
    monkeypatch.setattr(oracle, "_alike", lambda value: value)
    seed = 52
    rng = random.Random(seed)
    records = stored_records()
    for number in range(40):
        query = random_query(rng, records)
        with noted(seed=seed, query=number, case=query):
            check(kept.index, records, query)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("searches", [True, False], ids=["search", "browse"])
def test_titles_are_ordered_as_they_were_by_their_casefolded_form(
    kept: Kept, searches: bool, descending: bool
):
    records = stored_records()
    vector = records[0].vector if searches else None
    by_id = sorted(records, key=lambda r: r.product.id)
    expected = sorted(by_id, key=lambda r: r.product.title.casefold(), reverse=descending)
    query = IndexQuery(vector=vector, sort=Sort("title", descending), limit=7)
    shown = [hit.product.id for hit in walk(kept.index, query)]
    assert shown == [r.product.id for r in expected]


def test_it_is_written_to_as_before(kept: Kept):
    record = stored_records()[3]
    changed = replace(record.product, title="Été")
    kept.index.patch_products([changed])
    assert kept.index.get([changed.id])[changed.id].product == changed
    assert kept.index.stamps([changed.id])[changed.id].product_hash == product_hash(changed)
    payload = kept.payload(changed.id)
    assert payload["_image_key"] == record.image_key
    assert payload["_words"]["title"] == "été"
    assert payload.keys() <= {*COLLECTION["points"][3]["payload"], *_some_keys()}
    fresh = replace(make_record(changed.id, random.Random(1)), product=changed)
    kept.index.upsert([fresh])
    assert kept.payload(changed.id)["_image_key"] == fresh.image_key
    np.testing.assert_allclose(
        kept.index.get([changed.id])[changed.id].vector, fresh.vector, atol=1e-6
    )


def _some_keys() -> set[str]:
    """All keys that the release wrote."""
    return {key for point in COLLECTION["points"] for key in point["payload"]}


def test_a_second_picture_is_refused_with_the_number_that_fits(kept: Kept):
    with pytest.raises(InvalidProduct, match="has 2 pictures; allowed: 1 to 1"):
        kept.index.upsert([make_record("new", random.Random(1), images=(2, 2))])
    assert kept.index.get(["new"]) == {}


def test_what_is_copied_into_a_new_version_is_the_same_and_may_have_more_pictures(kept: Kept):
    old = kept.index
    new = kept.versions.create(
        model=old.info.model,
        fingerprint=old.info.fingerprint,
        dimension=old.info.dimension,
        schema=old.info.schema,
        mapping=old.info.mapping,
    )
    with pytest.raises(Conflict):
        kept.versions.publish(new.info.name)
    for batch in old.scan(batch=7):
        new.upsert(batch)
    kept.versions.complete(new.info.name)
    assert kept.versions.publish(new.info.name) == old.info.name
    records = stored_records()
    records[0] = replace(
        make_record("more", random.Random(2), images=(3, 3)), product=records[0].product
    )
    kept.index.upsert(records[:1])
    rng = random.Random(53)
    for _ in range(10):
        check(kept.index, records, random_query(rng, records))
    assert kept.index.get([records[0].product.id])[records[0].product.id].vectors.shape[0] == 3


def test_a_reindex_brings_it_forward_with_its_vectors_and_new_ones_of_the_texts(
    kept: Kept, tmp_path: Path
):
    embedder = FakeEmbedder(DIMENSION)
    metadata = COLLECTION["metadata"]
    embedder.info = replace(embedder.info, fingerprint=metadata["fingerprint"])
    shop = open_shop(tmp_path, kept.versions, model=metadata["model"])
    shop.models.make = lambda name: embedder
    before = {r.product.id: r for r in stored_records()}
    admin = Admin(shop.vitrine, store=(store := open_store(shop.vitrine.settings)))
    # without verification, for the pictures themselves are not here
    job = admin.reindex(verify=False)
    Runner(shop.vitrine, store).drain()
    assert admin.job(job).state is JobState.DONE, admin.job(job).error
    info = kept.index.info
    assert (info.max_images > 1, info.text_vectors, info.words) == (True, True, True)
    assert embedder.images_embedded == 0
    after = {r.product.id: r for batch in kept.index.scan() for r in batch}
    assert after.keys() == before.keys()
    for product_id, record in after.items():
        assert record.product == before[product_id].product
        assert record.image_keys == before[product_id].image_keys
        np.testing.assert_allclose(record.vectors, before[product_id].vectors, atol=1e-6)
        assert record.text_vector is not None
