"""Catalogues sent to the service: kept, previewed, and handed to a reindex with their mapping."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ingest.jobs.models import IngestRequest, SourceReport
from ingest.jobs.requests import IngestMode
from tests.unit.service.conftest import TOKEN, Shop

BEARER = {"Authorization": f"Bearer {TOKEN}"}
SHOPIFY = (
    "Handle,Title,Vendor,Variant Price,Variant SKU,Image Src,Status,Published\n"
    "red-dress,Red dress,Acme,49.90,RD-1,https://shop.example/red.jpg,active,true\n"
    "no-price,Blue mug,Acme,cheap,BM-1,https://shop.example/mug.jpg,active,true\n"
)


def send(shop: Shop, data: str, name: str = "products_export.csv", **parameters: str):
    return shop.client.post(
        "/v1/admin/catalogues",
        query_string={"name": name, **parameters},
        data=data.encode(),
        headers=BEARER,
    )


def test_a_known_export_is_recognized_and_its_first_products_are_shown(shop: Shop):
    answer = send(shop, SHOPIFY, currency="EUR")
    assert answer.status_code == 201
    preview = answer.get_json()
    assert any("shopify" in note for note in preview["notes"])
    dress, mug = preview["rows"]
    assert (dress["product"]["title"], dress["product"]["price"]) == ("Red dress", 49.9)
    assert dress["product"]["currency"] == "EUR"
    assert dress["pictures"] == ["https://shop.example/red.jpg"]
    assert mug["product"] is None
    assert "price" in mug["problems"][0]["field"]
    assert preview["failed"] == 1
    assert Path(preview["source"]).read_text() == SHOPIFY


def test_pictures_beside_an_upload_are_told_as_the_catalogue_names_them(shop: Shop):
    catalogue = SHOPIFY.replace("https://shop.example/", "pictures/")
    row = send(shop, catalogue, currency="EUR").get_json()["rows"][0]
    assert row["pictures"] == ["pictures/red.jpg"]
    (problem,) = row["problems"]
    assert problem["message"].startswith("pictures/red.jpg is no address")
    assert "images.base" in problem["message"]


def test_a_preview_is_all_that_a_reindex_needs(shop: Shop):
    preview = send(shop, SHOPIFY, currency="EUR").get_json()
    body = {"source": preview["source"], "mapping": preview["mapping"]}
    job_id = shop.client.post("/v1/admin/reindex", json=body, headers=BEARER).get_json()["job_id"]
    assert shop.jobs.asked[job_id] == (preview["source"], None, True)
    mapping = shop.jobs.mappings[job_id]
    assert mapping is not None
    assert mapping.to_dict() == preview["mapping"]


def test_a_file_that_is_no_known_export_is_refused_and_not_kept(shop: Shop):
    answer = send(shop, "a,b\n1,2\n")
    assert answer.status_code == 422
    (fault,) = answer.get_json()["errors"]
    assert "vitrine map products_export.csv" in fault["message"]
    assert str(shop.jobs.folder) not in fault["message"]
    assert [*shop.jobs.folder.rglob("*.csv")] == []


def test_an_empty_file_is_refused(shop: Shop):
    answer = send(shop, "")
    assert answer.status_code == 422
    assert answer.get_json()["errors"] == [{"field": "catalogue", "message": "is empty"}]


def test_the_name_of_a_file_leads_nowhere_else(shop: Shop):
    for name in ("../../etc/shop.csv", "..\\..\\shop.csv", ".shop.csv", "a b/ü shop.csv"):
        source = Path(send(shop, SHOPIFY, name=name).get_json()["source"])
        assert source.is_relative_to(shop.jobs.folder / "uploads")
        assert source.name.endswith("shop.csv")


def test_only_the_latest_uploads_are_kept(shop: Shop):
    sources = [Path(send(shop, SHOPIFY).get_json()["source"]) for _ in range(12)]
    assert [source.exists() for source in sources] == [False] * 2 + [True] * 10


def test_a_mapping_that_cannot_be_used_or_has_no_source_is_refused(shop: Shop):
    for body in ({"source": "shop.csv", "mapping": {"product": {}}}, {"mapping": {}}):
        answer = shop.client.post("/v1/admin/reindex", json=body, headers=BEARER)
        assert answer.status_code == 422
    assert shop.jobs.asked == {}


def test_a_catalogue_at_an_address_is_ingested_as_the_command_would(shop: Shop):
    body = {
        "source": "https://shop.example/feed.xml",
        "mode": "sync",
        "currency": "EUR",
        "language": "de",
    }
    answer = shop.client.post("/v1/admin/ingest", json=body, headers=BEARER)
    assert answer.status_code == 202
    assert shop.jobs.asked[answer.get_json()["job_id"]] == IngestRequest(
        "https://shop.example/feed.xml", currency="EUR", language="de", mode=IngestMode.SYNC
    )


def test_an_ingest_that_cannot_be_meant_is_refused(shop: Shop):
    mapping = {"product": {"id": "id", "title": "title", "images": "image"}}
    for body in (
        {},
        {"source": "a.csv", "mode": "shrink"},
        {"source": "a.csv", "mapping": {"product": {}}},
        {"source": "a.csv", "mapping": mapping, "currency": "EUR"},
        {"source": "a.csv", "mapping": mapping, "language": "de"},
    ):
        assert shop.client.post("/v1/admin/ingest", json=body, headers=BEARER).status_code == 422
    assert shop.jobs.asked == {}


def test_a_job_says_how_far_it_is_with_its_source(shop: Shop):
    source = "https://shop.example/feed.xml"
    body = {"source": source}
    job_id = shop.client.post("/v1/admin/ingest", json=body, headers=BEARER).get_json()["job_id"]
    report = SourceReport(done=30, unchanged=20, failed=1, left_out=4, share=0.25)
    shop.jobs._jobs[job_id] = replace(shop.jobs.job(job_id), source=source, report=report)
    job = shop.client.get(f"/v1/admin/jobs/{job_id}", headers=BEARER).get_json()
    assert job["source"] == source
    assert job["report"] == {
        "done": 30,
        "unchanged": 20,
        "failed": 1,
        "left_out": 4,
        "removed": 0,
        "share": 0.25,
        "refused": False,
        "nodes": {},
    }
