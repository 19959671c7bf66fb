"""A shop begins: its first catalogue is uploaded into an empty index, and can be searched."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.admin import Admin
from ingest.jobs.factory import open_store
from ingest.tasks.runner import Runner
from service import create_app
from tests.fakes import FakeEmbedder
from tests.unit.ingest.catalogue import picture
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

BEARER = {"Authorization": "Bearer a-token-of-the-tests"}


@pytest.mark.slow
def test_a_first_catalogue_is_recognized_previewed_ingested_and_live(tmp_path: Path) -> None:
    for number, color in enumerate(("red", "blue")):
        (tmp_path / f"{color}.png").write_bytes(picture(color, number=number))
    export = (
        "Handle,Title,Vendor,Variant Price,Variant SKU,Image Src,Status,Published\n"
        f"red,Red mug,Acme,49.90,R-1,{tmp_path}/red.png,active,true\n"
        f"blue,Blue mug,Acme,9.90,B-1,{tmp_path}/blue.png,active,true\n"
        f"draft,Draft,Acme,1,D-1,{tmp_path}/red.png,draft,true\n"
    )
    settings = Settings(
        data_dir=tmp_path / "data",
        admin_token="a-token-of-the-tests",
        catalogue_root=str(tmp_path),
        decode_processes=0,
    )
    embedder = FakeEmbedder()
    vitrine = Vitrine(settings, embedder=lambda _: embedder)
    store = open_store(settings)
    client = create_app(vitrine, admin=Admin(vitrine, store=store)).test_client()
    assert client.get("/v1/admin/versions", headers=BEARER).get_json() == {"versions": []}
    preview = client.post(
        "/v1/admin/catalogues",
        query_string={"name": "products_export.csv", "currency": "EUR"},
        data=export.encode(),
        headers=BEARER,
    ).get_json()
    assert [row["product"]["title"] for row in preview["rows"]] == ["Red mug", "Blue mug"]
    assert preview["left_out"] == {"Status is 'draft'": 1}
    body = {"source": preview["source"], "mapping": preview["mapping"], "verify": True}
    queued = client.post("/v1/admin/reindex", json=body, headers=BEARER)
    assert queued.status_code == 202
    Runner(vitrine, store).drain()
    job = client.get(queued.headers["Location"], headers=BEARER).get_json()
    assert (job["kind"], job["state"], job["error"]) == ("ingest", "done", None)
    assert (job["done"], job["total"], job["report"]["left_out"]) == (2, 3, 1)
    (version,) = client.get("/v1/admin/versions", headers=BEARER).get_json()["versions"]
    assert (version["name"], version["state"], version["count"]) == (job["version"], "live", 2)
    hits = client.post("/v1/search", json={"sort": "-price"}).get_json()["hits"]
    assert [hit["id"] for hit in hits] == ["R-1", "B-1"]
    assert (hits[0]["product"]["price"], hits[0]["product"]["currency"]) == (49.9, "EUR")
    store.close()
    vitrine.close()
