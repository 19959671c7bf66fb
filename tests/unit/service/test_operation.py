"""Health, metrics, logs and the description of the API."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace

import pytest
from openapi_spec_validator import validate
from prometheus_client.parser import text_string_to_metric_families

from service.container import warm_up_of
from service.logs import configure_service_logging
from service.metrics import metrics_of
from tests.unit.service.conftest import Shop
from vitrine.embedding.batching import BatchingEmbedder
from vitrine.embedding.caching import CachingEmbedder
from vitrine.errors import IndexUnavailable, ModelUnavailable, StorageUnavailable
from vitrine.index import VersionFilling
from vitrine.settings import Settings


def test_live_answers_whatever_is_missing(shop: Shop):
    shop.versions.broken = IndexUnavailable("down")
    assert shop.client.get("/health/live").get_json() == {"status": "live"}


def test_ready_tells_which_version_answers_and_embeds_a_probe_each_time(shop: Shop):
    before = shop.embedder.texts_embedded
    for _ in range(2):
        assert shop.client.get("/health/ready").get_json() == {
            "status": "ready",
            "version": "v2",
            "model": "fake",
            "backend": "brute force",
            "products": 12,
        }
    assert shop.embedder.texts_embedded == before + 2


def test_probes_take_no_places_of_queries_in_the_cache(shop: Shop):
    cache = CachingEmbedder(shop.embedder, size=2, timeout_s=5)
    serving = replace(shop.vitrine.live.current(), embedder=cache)
    shop.vitrine.live.current = lambda: serving
    cache.embed_texts(["red", "blue"])
    before = shop.embedder.texts_embedded
    for _ in range(3):
        assert shop.client.get("/health/ready").status_code == 200
    assert shop.embedder.texts_embedded == before + 3
    cache.embed_texts(["red", "blue"])
    assert (cache.hits, cache.misses) == (2, 2)


def test_not_ready_says_what_is_missing(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    shop.versions.live_name = None
    response = shop.client.get("/health/ready")
    assert (response.status_code, response.get_json()["detail"]) == (
        503,
        "nothing has been published yet",
    )
    shop.versions.live_name = "v2"
    monkeypatch.setattr(
        shop.embedder,
        "embed_texts",
        lambda texts: (_ for _ in ()).throw(ModelUnavailable("no such model")),
    )
    response = shop.client.get("/health/ready")
    assert (response.status_code, response.get_json()["detail"]) == (503, "no such model")


def test_probes_while_the_model_is_being_loaded_are_no_warnings(
    shop: Shop, caplog: pytest.LogCaptureFixture
):
    warm_up_of(shop.app).begin()
    assert shop.client.get("/health/ready").status_code == 503
    assert shop.client.get("/v1/search?q=red").status_code == 503
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]
    warm_up_of(shop.app).obstacle = None
    shop.versions.broken = IndexUnavailable("down")
    assert shop.client.get("/health/ready").status_code == 503
    assert [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_ready_recovers_by_itself(shop: Shop):
    shop.versions.broken = IndexUnavailable("down")
    assert shop.client.get("/health/ready").status_code == 503
    shop.versions.broken = None
    assert shop.client.get("/health/ready").status_code == 200


def samples(shop: Shop) -> dict[tuple, float]:
    text = shop.client.get("/metrics").get_data(as_text=True)
    return {
        (s.name, *sorted(s.labels.items())): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def test_the_work_in_the_background_is_measured(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    shop.jobs.delete(["p1"])
    measured = samples(shop)
    names = (
        "vitrine_jobs_up",
        "vitrine_jobs_open",
        "vitrine_jobs_waiting",
        "vitrine_job_items_open",
        "vitrine_job_oldest_seconds",
    )
    assert [measured[(name,)] for name in names] == [1, 1, 1, 3, 7.5]

    def unreachable() -> None:
        raise StorageUnavailable("Redis does not answer")

    monkeypatch.setattr(shop.jobs, "queue_stats", unreachable)
    measured = samples(shop)
    assert measured[("vitrine_jobs_up",)] == 0
    assert ("vitrine_jobs_open",) not in measured


def test_requests_are_counted_by_route_and_status(shop: Shop):
    for address in (
        "/v1/search?q=red",
        "/v1/search?limit=0",
        "/v1/products/mugs/7",
        "/v1/products/mugs/8",
        "/nothing/1",
        "/nothing/2",
    ):
        shop.client.get(address)
    found = samples(shop)

    def count(route: str, status: str, method: str = "GET") -> float:
        return found[
            ("vitrine_requests_total", ("method", method), ("route", route), ("status", status))
        ]

    assert count("/v1/search", "200") == 1
    assert count("/v1/search", "422") == 1
    assert count("/v1/products/<id:product_id>", "200") == 2
    assert count("unmatched", "404", method="any") == 2
    assert found[("vitrine_request_seconds_count", ("route", "/v1/search"))] == 2
    assert found[("vitrine_stage_seconds_count", ("stage", "embed"))] == 1


def test_the_state_of_the_index_is_told_even_when_it_is_down(shop: Shop):
    assert samples(shop)[("vitrine_products",)] == 12
    assert (
        samples(shop)[
            ("vitrine_index_info", ("backend", "brute force"), ("model", "fake"), ("version", "v2"))
        ]
        == 1
    )
    index = shop.versions.live()
    index.info = replace(index.info, filling=VersionFilling("cuda", "bf16", 512, 73.5))
    labels = (("batch", "512"), ("device", "cuda"), ("precision", "bf16"), ("version", "v2"))
    assert samples(shop)[("vitrine_index_filling_seconds", *labels)] == 73.5
    shop.versions.broken = IndexUnavailable("down")
    assert samples(shop)[("vitrine_index_up",)] == 0


def test_look_ups_in_caches_are_counted(shop: Shop):
    shop.embedder.hits, shop.embedder.misses = 5, 7
    shop.client.get("/v1/search?q=red")
    samples(shop)
    shop.embedder.hits = 6
    found = samples(shop)
    del shop.embedder.hits, shop.embedder.misses

    def count(cache: str, result: str) -> float:
        return found[("vitrine_cache_total", ("cache", cache), ("result", result))]

    assert (count("embeddings", "hit"), count("embeddings", "miss")) == (6, 7)


@pytest.fixture
def own_logging():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before


def lines(shop: Shop, capsys: pytest.CaptureFixture[str], log_format: str) -> list[str]:
    configure_service_logging(Settings(log_format=log_format))
    shop.client.get("/v1/search?q=something+private", headers={"X-Request-ID": "id-1"})
    shop.client.get("/health/live")
    shop.versions.broken = RuntimeError("the disk said no")
    shop.client.get("/v1/fields")
    return capsys.readouterr().err.splitlines()


@pytest.mark.usefixtures("own_logging")
def test_each_answer_is_one_json_line_with_its_request_id(
    shop: Shop, capsys: pytest.CaptureFixture[str]
):
    found = [json.loads(line) for line in lines(shop, capsys, "json")]
    assert [line["path"] for line in found if line["logger"] == "service.access"] == [
        "/v1/search",
        "/v1/fields",
    ]
    assert (found[0]["request_id"], found[0]["status"], found[0]["method"]) == ("id-1", 200, "GET")
    assert found[0]["ms"] >= 0
    failed = next(line for line in found if line["level"] == "error")
    assert "the disk said no" in failed["exception"]
    assert failed["request_id"] == found[-1]["request_id"] != "id-1"
    assert "private" not in str(found)


@pytest.mark.usefixtures("own_logging")
def test_people_get_lines_that_they_can_read(shop: Shop, capsys: pytest.CaptureFixture[str]):
    found = lines(shop, capsys, "human")
    assert re.fullmatch(r"\d\d:\d\d:\d\d info     GET /v1/search 200 [\d.]+ ms \[id-1\]", found[0])


@pytest.mark.usefixtures("own_logging")
def test_a_line_break_in_an_address_starts_no_new_line(
    shop: Shop, capsys: pytest.CaptureFixture[str]
):
    configure_service_logging(Settings())
    shop.client.get("/v1/products/a%0aFAKE")
    assert [line.split()[1] for line in capsys.readouterr().err.splitlines()] == ["info"]


def test_the_description_is_valid_openapi(shop: Shop):
    validate(shop.client.get("/openapi.json").get_json())


def test_the_description_lists_the_live_fields_as_parameters(shop: Shop):
    paths = shop.client.get("/openapi.json").get_json()["paths"]
    for path in ("/v1/search", "/v1/products/{product_id}/similar"):
        names = [p["name"] for p in paths[path]["get"]["parameters"]]
        assert {"color", "price", "price_min", "price_max", "pattern", "added_min", "limit"} <= set(
            names
        )
        assert "added" not in names
        assert len(names) == len(set(names))


def test_the_description_tells_the_limits_that_are_set(open_shop):
    spec = open_shop(max_limit=33).client.get("/openapi.json").get_json()
    limit = next(
        p for p in spec["paths"]["/v1/search"]["get"]["parameters"] if p["name"] == "limit"
    )
    assert limit["schema"]["maximum"] == 33
    schemas = spec["components"]["schemas"]
    assert schemas["SearchRequest"]["properties"]["limit"]["maximum"] == 33
    assert schemas["ClassifyRequest"]["properties"]["labels"]["minItems"] == 1
    assert schemas["DetectRequest"]["properties"]["labels"]["minItems"] == 1
    assert schemas["ClassifyRequest"]["properties"]["template"]["oneOf"][1]["minItems"] == 1


def test_the_description_holds_without_a_live_version(shop: Shop):
    shop.versions.live_name = None
    spec = shop.client.get("/openapi.json").get_json()
    validate(spec)
    assert "q" in [p["name"] for p in spec["paths"]["/v1/search"]["get"]["parameters"]]


def test_every_route_of_the_api_is_described(shop: Shop):
    spec = shop.client.get("/openapi.json").get_json()
    described = {
        (method.upper(), path)
        for path, operations in spec["paths"].items()
        for method in operations
    }
    rules = [r for r in shop.app.url_map.iter_rules() if r.rule.startswith(("/v1", "/health"))]
    routed = {
        (m, re.sub(r"<(\w+:)?(\w+)>", r"{\2}", r.rule))
        for r in rules
        for m in r.methods - {"HEAD", "OPTIONS"}
    }
    assert described == routed


def test_every_operation_has_a_name_a_summary_and_a_success(shop: Shop):
    spec = shop.client.get("/openapi.json").get_json()
    operations = [operation for path in spec["paths"].values() for operation in path.values()]
    assert len({o["operationId"] for o in operations}) == len(operations)
    for operation in operations:
        assert operation["summary"]
        assert "`" not in operation["summary"]  # it is shown as it is
        assert any(status.startswith("2") for status in operation["responses"])


def test_the_page_of_the_description_needs_nothing_from_elsewhere(shop: Shop):
    page = shop.client.get("/docs").get_data(as_text=True)
    assert "http" not in page
    for address in re.findall(r'(?:src|href|data-spec)="(/[^"]+)"', page):
        with shop.client.get(address) as response:
            assert response.status_code == 200
    assert "<script>" not in page
    assert shop.client.get("/docs/swagger/..%2f..%2f__init__.py").status_code == 404


def test_empty_answers_and_waits_are_counted(shop: Shop):
    shop.client.get("/v1/search?q=red")
    shop.client.get("/v1/search?color=transparent")
    shop.client.get("/v1/fields", environ_base={"vitrine.waited_s": 0.2})
    counted = samples(shop)
    assert counted[("vitrine_empty_answers_total",)] == 1
    assert counted[("vitrine_wait_seconds_count",)] == 1
    assert counted[("vitrine_wait_seconds_sum",)] == pytest.approx(0.2)
    assert counted[("vitrine_waiting_requests",)] == 0


def test_refused_requests_are_counted_by_reason(open_shop):
    shop = open_shop(require_key=True)
    for _ in range(2):
        shop.client.get("/v1/search?q=red")
    assert samples(shop)[("vitrine_refused_total", ("reason", "key"))] == 2


def test_forward_passes_of_a_model_are_counted(shop: Shop):
    batching = BatchingEmbedder(shop.embedder, most=4, timeout_s=20)
    counters = metrics_of(shop.app)
    batching.embed_texts(["a", "b", "c"])
    for _ in range(2):
        counters.follow_batches(CachingEmbedder(batching, size=10, timeout_s=20))
    batching.embed_texts(["d"])
    counters.follow_batches(batching)
    counted = samples(shop)
    assert counted[("vitrine_model_batches_total",)] == 2
    assert counted[("vitrine_model_batch_items_total",)] == 4
