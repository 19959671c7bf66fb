"""`vitrine up` and the commands of the job engine, end to end with a real (tiny) model on the
embedded backend."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from tests.checkpoints import data_folder
from tests.integration.service.process import ServiceProcess
from tests.shop import picture
from tests.support.waiting import until

VITRINE = "from vitrine.cli import main; main()"
TOKEN = "a-token-of-the-test-123"
COUNT = 12
QUERY = {"q": "red dress", "ranking": "vector"}
"""By cosine alone: the tiny models of the test find nothing relevant."""


def write_catalogue(folder: Path) -> list[str]:
    """A catalogue of COUNT products; the arguments of `vitrine ingest`."""
    rows = []
    for number in range(COUNT):
        (folder / f"{number}.png").write_bytes(picture(number))
        rows.append(
            {
                "id": f"p{number}",
                "title": f"Product {number}",
                "price": number,
                "image": f"{number}.png",
            }
        )
    (folder / "shop.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    (folder / "shop.toml").write_text(
        '[product]\nid = "id"\ntitle = "title"\nprice = "price"\nimage = "image"\n'
    )
    return [str(folder / "shop.jsonl"), "--map", str(folder / "shop.toml")]


@pytest.mark.timeout(900)
def test_a_shop_runs_is_changed_survives_its_workers_death_and_moves_to_another_clip_folder(
    tmp_path: Path, clip_folder: Path, other_clip_folder: Path, exports: Path
):
    data_folder(tmp_path / "data", exports)
    settings = {
        "model": str(clip_folder),
        "device": "cpu",
        "admin_token": TOKEN,
        "graceful_timeout_s": 20,
        "job_lease_s": 10,
    }
    environment = {
        **os.environ,
        **{f"VITRINE_{k.upper()}": str(v) for k, v in settings.items()},
        "VITRINE_DATA_DIR": str(tmp_path / "data"),
    }

    def vitrine(*arguments: str) -> str:
        command = [sys.executable, "-c", VITRINE, *arguments]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    vitrine("ingest", *write_catalogue(tmp_path))
    with ServiceProcess(tmp_path, "-c", VITRINE, "up", **settings) as up:
        up.wait_until("/health/ready")
        with httpx.Client(
            base_url=up.url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=240
        ) as client:

            def finish(answer: httpx.Response) -> dict[str, object]:
                assert answer.status_code == 202, answer.text
                job = f"/v1/admin/jobs/{answer.json()['job_id']}"
                until(lambda: client.get(job).json()["state"] in ("done", "failed"), "the job ends")
                found: dict[str, object] = client.get(job).json()
                assert found["state"] == "done", found
                return found

            def price() -> float:
                return float(client.get("/v1/products/p3").json()["product"]["price"])

            finish(client.patch("/v1/admin/products/p3", json={"price": 1000}))
            assert price() == 1000

            worker = next(
                c
                for c in psutil.Process(up.process.pid).children()
                if "ingest.worker" in c.cmdline()
            )
            worker.kill()
            finish(client.patch("/v1/admin/products/p3", json={"price": 2000}))
            assert price() == 2000

            before = client.get("/v1/search", params=QUERY).json()
            job = finish(client.post("/v1/admin/reindex", json={"model": str(other_clip_folder)}))
            assert (job["done"], job["total"], job["failed_items"]) == (COUNT, COUNT, 0)
            until(
                lambda: (
                    client.get("/v1/search", params=QUERY).json()["index"]["model"]
                    == str(other_clip_folder)
                ),
                "the switch",
            )
            after = client.get("/v1/search", params=QUERY).json()
            assert after["index"]["version"] == job["version"]
            assert before["index"]["model"] == str(clip_folder)
            assert [h["score"] for h in before["hits"]] != [h["score"] for h in after["hits"]]
            assert price() == 2000
        listed = json.loads(vitrine("versions", "--json"))
        assert [(v["state"], v["count"]) for v in listed] == [("live", COUNT), ("ready", COUNT)]
        assert "is live; before it was" in vitrine("publish", listed[1]["name"])
        assert [v["state"] for v in json.loads(vitrine("versions", "--json"))] == ["ready", "live"]
        assert "reindex-" in vitrine("jobs")
        below = psutil.Process(up.process.pid).children(recursive=True)
        up.process.send_signal(signal.SIGTERM)
        assert up.ended() == 0
        assert not any(one.is_running() for one in below)
    assert "done, 12 products, 0 failed" in vitrine("reindex", "--model", str(other_clip_folder))
