"""What is sent to Qdrant: the parts that local mode ignores and an engine does not tell."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from qdrant_client import QdrantClient, models

from tests.contract.catalogue import DIMENSION, SCHEMA, make_record, unit
from tests.contract.oracle import candidate_set
from vitrine.errors import InvalidCursor, InvalidSettings
from vitrine.filters import parse_filter
from vitrine.index import IndexQuery, PageToken, VectorIndex
from vitrine.index.qdrant.connection import Connection
from vitrine.index.qdrant.index import QdrantIndex
from vitrine.index.qdrant.versions import QdrantVersions
from vitrine.queries import Sort
from vitrine.settings import Settings

pytestmark = [
    # local mode answers here, asked as a server is
    pytest.mark.filterwarnings(
        "ignore:Payload indexes have no effect in the local Qdrant:UserWarning"
    ),
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
]


class Recorder:
    """Local mode behind a client that writes down every call."""

    def __init__(self) -> None:
        self.client = QdrantClient(":memory:")
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.read = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**arguments: Any) -> Any:
            self.calls.append((name, arguments))
            answer = getattr(self.client, name)(**arguments)
            self.read += len(answer[0]) if name == "scroll" else 0
            return answer

        return call

    def of(self, name: str) -> list[dict[str, Any]]:
        return [arguments for called, arguments in self.calls if called == name]


def opened(**settings: Any) -> tuple[Recorder, QdrantVersions]:
    recorder = Recorder()
    chosen = Settings(qdrant_url="http://nowhere", **settings)
    return recorder, QdrantVersions(Connection(chosen, client=recorder), chosen)


def created(versions: QdrantVersions) -> VectorIndex:
    return versions.create(
        model="org/m", fingerprint="f", dimension=DIMENSION, schema=SCHEMA, mapping={}
    )


def filled(versions: QdrantVersions, count: int = 20) -> VectorIndex:
    index = created(versions)
    rng = random.Random(5)
    index.upsert([make_record(f"p{i}", rng) for i in range(count)])
    return index


VECTOR = unit(np.ones(DIMENSION))


def test_every_payload_index_is_made_before_the_first_point():
    recorder, versions = opened()
    filled(versions)
    names = [name for name, _ in recorder.calls]
    last = max(i for i, name in enumerate(names) if name == "create_payload_index")
    assert last < names.index("upsert")
    assert all(call["wait"] is True for call in recorder.of("create_payload_index"))


def test_the_index_of_each_field_fits_its_type():
    recorder, versions = opened(qdrant_tenant_field="brand", qdrant_on_disk=True)
    created(versions)
    made = {
        call["field_name"]: call["field_schema"] for call in recorder.of("create_payload_index")
    }
    expected = {
        "id": models.KeywordIndexParams,
        "price": models.FloatIndexParams,
        "currency": models.KeywordIndexParams,
        "colors": models.KeywordIndexParams,
        "_terms.color": models.KeywordIndexParams,
        "_terms.category": models.KeywordIndexParams,
        "brand": models.KeywordIndexParams,
        "in_stock": models.BoolIndexParams,
        "group_id": models.KeywordIndexParams,
        "attributes.pattern": models.KeywordIndexParams,
        "attributes.rating": models.FloatIndexParams,
        "attributes.added": models.DatetimeIndexParams,
        "attributes.organic": models.BoolIndexParams,
        "_words.title": models.TextIndexParams,
        "_words.description": models.TextIndexParams,
        "_words.care": models.TextIndexParams,
        "_seq": models.IntegerIndexParams,
        "_id0": models.IntegerIndexParams,
        "_title0": models.IntegerIndexParams,
    }
    assert {name: type(made[name]) for name in expected} == expected
    assert made["_folded.brand"].is_tenant is True  # the one that filters look at
    assert made["currency"].is_tenant is None
    # the graph is built once for all fields; only tenants get links of their own
    linked = [name for name, schema in made.items() if schema.enable_hnsw is not False]
    assert linked == ["_folded.brand"]
    assert all(schema.on_disk is True for schema in made.values())
    assert (made["_words.title"].tokenizer, made["_words.title"].lowercase) == (
        models.TokenizerType.WHITESPACE,
        False,
    )


def test_a_collection_is_made_as_the_settings_say():
    recorder, versions = opened(
        qdrant_shards=3,
        qdrant_replicas=2,
        qdrant_hnsw_m=24,
        qdrant_hnsw_ef_construct=300,
        qdrant_quantization="scalar",
        qdrant_payload_on_disk=False,
        qdrant_prefix="shop-a",
    )
    created(versions)
    (call,) = recorder.of("create_collection")
    assert call["collection_name"].startswith("shop-a-2")
    assert call["collection_name"].endswith("-m")
    assert (call["shard_number"], call["replication_factor"], call["write_consistency_factor"]) == (
        3,
        2,
        1,
    )
    assert (call["hnsw_config"].m, call["hnsw_config"].ef_construct) == (24, 300)
    assert call["quantization_config"].scalar.type == models.ScalarType.INT8
    assert call["on_disk_payload"] is False
    assert call["vectors_config"]["image"].distance == models.Distance.COSINE
    assert call["vectors_config"]["image"].size == DIMENSION
    strict = call["strict_mode_config"]
    assert (
        strict.enabled,
        strict.unindexed_filtering_retrieve,
        strict.unindexed_filtering_update,
    ) == (True, False, False)


@pytest.mark.parametrize("on_disk", [True, False])
def test_vectors_and_graph_lie_where_the_settings_say(on_disk: bool):
    recorder, versions = opened(qdrant_on_disk=on_disk, qdrant_payload_on_disk=on_disk)
    created(versions)
    (call,) = recorder.of("create_collection")
    assert (
        call["vectors_config"]["image"].on_disk,
        call["hnsw_config"].on_disk,
        call["on_disk_payload"],
    ) == (on_disk,) * 3


def test_all_copies_may_be_made_to_hold_a_write():
    recorder, versions = opened(qdrant_replicas=3, qdrant_write_consistency=0)
    created(versions)
    assert recorder.of("create_collection")[0]["write_consistency_factor"] == 3


def test_strictness_and_write_consistency_are_settings():
    recorder, versions = opened(qdrant_strict=False, qdrant_replicas=3, qdrant_write_consistency=2)
    created(versions)
    (call,) = recorder.of("create_collection")
    assert call["strict_mode_config"].enabled is False
    assert (call["replication_factor"], call["write_consistency_factor"]) == (3, 2)


def test_a_product_has_the_same_point_in_every_version_and_every_process():
    recorder, versions = opened()
    for _ in range(2):
        created(versions).upsert([make_record("sku-1", random.Random(1))])
    first, second = (call["points"][0].id for call in recorder.of("upsert"))
    assert first == second == "a0a8ce85-6974-5739-8434-09d269c80901"


@pytest.mark.parametrize(
    ("quantization", "kind"),
    [
        ("none", type(None)),
        ("scalar", models.ScalarQuantization),
        ("binary", models.BinaryQuantization),
        ("turbo", models.TurboQuantization),
    ],
)
def test_quantized_vectors_only_propose_and_the_originals_decide(quantization: str, kind: type):
    recorder, versions = opened(
        qdrant_quantization=quantization,
        qdrant_exact_below=0,
        qdrant_oversampling=3.5,
        qdrant_hnsw_ef=99,
    )
    filled(versions).search(IndexQuery(vector=VECTOR))
    assert isinstance(recorder.of("create_collection")[0]["quantization_config"], kind)
    params = recorder.of("query_points")[0]["search_params"]
    assert (params.exact, params.hnsw_ef) == (False, 99)
    assert params.acorn.enable is True
    if quantization == "none":
        assert params.quantization is None
    else:
        assert (params.quantization.rescore, params.quantization.oversampling) == (True, 3.5)


@pytest.mark.parametrize(
    ("bits", "size"),
    [
        ("1", models.TurboQuantBitSize.BITS1),
        ("1.5", models.TurboQuantBitSize.BITS1_5),
        ("2", models.TurboQuantBitSize.BITS2),
        ("4", models.TurboQuantBitSize.BITS4),
        ("8", models.TurboQuantBitSize.BITS8),
    ],
)
def test_the_bits_of_turbo_are_a_setting(bits: str, size: models.TurboQuantBitSize):
    recorder, versions = opened(qdrant_quantization="turbo", qdrant_turbo_bits=bits)
    created(versions)
    turbo = recorder.of("create_collection")[0]["quantization_config"].turbo
    assert (turbo.bits, turbo.always_ram) == (size, True)


@pytest.mark.parametrize("version", ["1.17.4", "0.11.0", "dev"])
def test_a_server_older_than_turbo_is_told_before_anything_is_made(version: str):
    recorder, versions = opened(qdrant_quantization="turbo")
    recorder.client.info = lambda: models.VersionInfo(title="qdrant", version=version)
    with pytest.raises(InvalidSettings, match=rf"1\.18 or newer, this server is {version}"):
        created(versions)
    assert recorder.of("create_collection") == []


@pytest.mark.parametrize(("below", "plan"), [(19, "hnsw"), (20, "exact")])
def test_few_matching_products_are_compared_one_by_one(below: int, plan: str):
    recorder, versions = opened(qdrant_exact_below=below)
    assert filled(versions, 20).search(IndexQuery(vector=VECTOR)).search == plan
    assert recorder.of("query_points")[0]["search_params"].exact is (plan == "exact")


def test_when_the_graph_reaches_too_few_products_all_are_compared():
    recorder, versions = opened(qdrant_exact_below=0)
    index = filled(versions, 20)
    answer_of = recorder.client.query_points

    def unreached(**arguments: Any) -> Any:
        answer = answer_of(**arguments)
        return (
            answer
            if arguments["search_params"].exact
            else answer.model_copy(update={"points": answer.points[:3]})
        )

    recorder.client.query_points = unreached  # type: ignore[method-assign]
    answer = index.search(IndexQuery(vector=VECTOR))
    assert (answer.total, answer.search) == (20, "exact")


def test_writes_wait_and_are_put_in_one_order():
    recorder, versions = opened()
    index = filled(versions)
    index.patch("p1", {"price": 3.0})
    index.delete(["p2"])
    for name in ("upsert", "batch_update_points", "delete"):
        (call,) = recorder.of(name)
        assert (call["wait"], call["ordering"]) == (True, models.WriteOrdering.MEDIUM)


def test_one_upsert_is_one_operation_however_many_records():
    recorder, versions = opened()
    filled(versions, 300)
    (call,) = recorder.of("upsert")
    assert len(call["points"]) == 300


def test_publishing_is_one_request_that_moves_the_alias():
    recorder, versions = opened()
    names = []
    for _ in range(2):
        index = created(versions)
        versions.complete(index.info.name)
        versions.publish(index.info.name)
        names.append(index.info.name)
    first, second = [
        call["change_aliases_operations"] for call in recorder.of("update_collection_aliases")
    ]
    assert [type(step) for step in first] == [models.CreateAliasOperation]
    assert [type(step) for step in second] == [
        models.DeleteAliasOperation,
        models.CreateAliasOperation,
    ]
    assert second[1].create_alias.collection_name == f"vitrine-{names[1]}"


def test_a_page_reads_whole_products_for_its_own_hits_only():
    recorder, versions = opened()
    index = filled(versions, 60)
    recorder.calls.clear()
    index.search(IndexQuery(vector=VECTOR, limit=5, sort=Sort("price"), facets=("brand",)))
    (query,) = recorder.of("query_points")
    assert set(query["with_payload"]) == {"id", "price", "brand"}
    assert query["with_vectors"] is False
    assert sum(len(call["ids"]) for call in recorder.of("retrieve")) < 15


def test_a_page_by_relevance_is_one_search_that_brings_its_products():
    recorder, versions = opened()
    index = filled(versions, 60)
    query = IndexQuery(vector=VECTOR, limit=5)
    answer = index.search(query)
    for _ in range(2):
        recorder.calls.clear()
        answer = index.search(replace(query, page_token=answer.next_token))
        assert Counter(name for name, _ in recorder.calls) == {"query_points": 1, "count": 1}
        assert recorder.of("query_points")[0]["limit"] < 30


@pytest.mark.parametrize("sort", ["price", "-price"])
def test_a_product_that_goes_after_it_was_found_makes_room_for_the_next(sort: str):
    recorder, versions = opened()
    index = filled(versions)
    query = IndexQuery(vector=VECTOR, limit=5, sort=Sort.parse(sort))
    whole = [hit.product.id for hit in index.search(replace(query, limit=20)).hits]
    retrieve = recorder.client.retrieve

    def too_late(**arguments: Any) -> Any:
        recorder.client.retrieve = retrieve
        index.delete([whole[0], whole[3]])
        return retrieve(**arguments)

    recorder.client.retrieve = too_late
    answer = index.search(query)
    assert [hit.product.id for hit in answer.hits] == [
        i for i in whole if i not in (whole[0], whole[3])
    ][:5]
    rest = index.search(replace(query, limit=20, page_token=answer.next_token))
    assert [hit.product.id for hit in rest.hits] == whole[7:]


@pytest.mark.parametrize("sort", ["relevance", "price", "-price", "title", "-added"])
def test_browsing_reads_no_more_than_some_pages(sort: str):
    recorder, versions = opened()
    index = filled(versions, 120)
    recorder.calls.clear()
    query = IndexQuery(
        limit=10, sort=Sort.parse(sort), filter=parse_filter({"price": {"gt": 1}}, SCHEMA)
    )
    answer = index.search(query)
    for _ in range(5):
        assert answer.next_token is not None
        recorder.calls.clear()
        recorder.read = 0
        answer = index.search(
            IndexQuery(
                **{
                    **{n: getattr(query, n) for n in IndexQuery.__dataclass_fields__},
                    "page_token": answer.next_token,
                }
            )
        )
        assert len(recorder.of("scroll")) <= 12
        assert recorder.read <= 12 * 11


def test_reads_carry_the_time_that_is_left():
    recorder, versions = opened(qdrant_timeout_s=7)
    filled(versions).search(IndexQuery(vector=VECTOR))
    timed = [a for name in ("query_points", "count", "retrieve") for a in recorder.of(name)]
    assert {call["timeout"] for call in timed} <= {6, 7}


def test_one_folder_serves_all_connections_of_a_process(tmp_path):
    settings = Settings(qdrant_url=str(tmp_path / "qdrant"))
    first, second = (
        QdrantVersions(Connection(settings), settings),
        QdrantVersions(Connection(settings), settings),
    )
    index = created(first)
    index.upsert([make_record("a", random.Random(1))])
    assert second.open(index.info.name).count() == 1
    first.close()
    assert isinstance(again := second.open(index.info.name), QdrantIndex)
    assert again.count() == 1
    second.close()
    third = QdrantVersions(Connection(settings), settings)
    assert [(info.name, info.count) for info in third.list()] == [(index.info.name, 1)]
    third.close()


@pytest.mark.parametrize("limit", [1, 4, 9])
@pytest.mark.parametrize("candidates", [30, 57, 1000])
def test_pages_among_dozens_of_equal_scores_show_the_whole_order(limit: int, candidates: int):
    seed = 21
    rng = random.Random(seed)
    _, versions = opened()
    index = created(versions)
    directions = [unit(np.asarray([rng.gauss(0, 1) for _ in range(DIMENSION)])) for _ in range(3)]
    records = [
        replace(make_record(f"p{i:03}", rng), vectors=rng.choice(directions)[None])
        for i in range(90)
    ]
    index.upsert(records)
    query = IndexQuery(vector=VECTOR, candidates=candidates, limit=limit)
    expected = [r.product.id for r, _ in candidate_set(records, query)]
    shown: list[str] = []
    for page in range(200):
        answer = index.search(query)
        shown += [hit.product.id for hit in answer.hits]
        if page == 1:  # what the next pages began from goes, and makes room for nothing
            index.delete(expected[:limit])
        if answer.next_token is None:
            break
        query = replace(query, page_token=answer.next_token)
    assert shown == expected, f"seed {seed}"


@pytest.mark.parametrize("facets", [(), ("brand",)])
@pytest.mark.parametrize("place", [None, "red"])
def test_a_token_of_another_order_is_refused(facets: tuple[str, ...], place: str | None):
    _, versions = opened()
    token = PageToken(2**50, None, (place, "p1"), 20)
    query = IndexQuery(vector=VECTOR, limit=3, facets=facets, page_token=token)
    with pytest.raises(InvalidCursor):
        filled(versions).search(query)
