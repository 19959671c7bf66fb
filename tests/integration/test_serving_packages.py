"""What the serving image holds is enough: with the packages of every extra out of reach, a shop
serves and takes live writes."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.checkpoints import data_folder
from tests.integration.jobs.test_up import TOKEN, write_catalogue
from tests.integration.service.process import ServiceProcess
from tests.shop import picture
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
VITRINE = ("-c", "from vitrine.cli import main; main()")
OF_EXTRAS = (
    *("torch", "transformers", "onnx", "onnxscript", "sympy", "networkx"),
    *("datasets", "ijson", "pyarrow", "pandas", "ir_measures", "scipy", "skia", "safetensors"),
)
"""Packages of the extras and what only they bring along."""

BLOCKER = f"""
import importlib.abc, sys

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {OF_EXTRAS!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocker())
import importlib.util
_find_spec = importlib.util.find_spec
def find_spec(name, package=None):
    return None if name.split('.')[0] in {OF_EXTRAS!r} else _find_spec(name, package)
importlib.util.find_spec = find_spec
"""


@pytest.fixture
def serving_only(tmp_path: Path) -> dict[str, str]:
    """Environment of a Python without the packages of the extras."""
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "sitecustomize.py").write_text(BLOCKER)
    return {"PYTHONPATH": f"{tmp_path / 'blocked'}:{ROOT}"}


def vitrine(
    settings: dict[str, str], *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *VITRINE, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **settings, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.mark.timeout(1500)
def test_an_exported_model_is_served_and_its_shop_changed_without_the_extras(
    tmp_path: Path,
    clip_folder: Path,
    owlvit_folder: Path,
    exports: Path,
    serving_only: dict[str, str],
):
    settings = {
        "VITRINE_DATA_DIR": str(data_folder(tmp_path / "data", exports)),
        "VITRINE_MODEL": str(clip_folder),
        "VITRINE_DETECTOR": str(owlvit_folder),
        "VITRINE_DEVICE": "cpu",
        "VITRINE_LOG_FORMAT": "json",
        "OMP_NUM_THREADS": "1",
    }
    empty = {"VITRINE_DATA_DIR": str(tmp_path / "empty")}
    early = vitrine(settings | empty, "export", "model", **serving_only)
    assert early.returncode == 2
    assert "needs torch, which is not installed here: run `vitrine export`" in early.stderr

    exports = vitrine(settings, "export")
    assert exports.returncode == 0, exports.stderr
    ingest = vitrine(settings, "ingest", *write_catalogue(tmp_path))
    assert ingest.returncode == 0, ingest.stderr
    _, *mapping = write_catalogue(tmp_path)
    (tmp_path / "list.json").write_text('[{"id": "1"}]')
    refused = vitrine(settings, "ingest", str(tmp_path / "list.json"), *mapping, **serving_only)
    assert refused.returncode == 2
    assert "pip install 'vitrine[catalogues]'" in refused.stderr

    own = {
        name.removeprefix("VITRINE_").lower(): value
        for name, value in settings.items()
        if name.startswith("VITRINE_")
    }
    own |= {"admin_token": TOKEN}
    shop = ServiceProcess(tmp_path, *VITRINE, "up", **own)
    shop._environment |= serving_only
    with shop:
        until(lambda: answers(shop, "/health/ready"), "the shop becomes ready")
        use_every_request_of_the_readme(shop)
        write_and_read_back(shop)
        assert [line for line in shop.log().splitlines() if not json.loads(line)["message"]] == []


def answers(shop: ServiceProcess, path: str) -> bool:
    assert shop.process.poll() is None, shop.log()
    try:
        return shop.get(path).status_code == 200
    except httpx.TransportError:
        return False


def use_every_request_of_the_readme(shop: ServiceProcess) -> None:
    """Words, facets, a photo, a mix, and what the model sees in a picture."""
    photo = base64.b64encode(picture(1)).decode()
    requests = [
        ("/v1/search", {"text": [{"text": "a red dress"}], "filter": {"price": {"lt": 8}}}),
        ("/v1/search", {"text": [{"text": "warm"}], "facets": ["price"], "sort": "-price"}),
        ("/v1/search", {"image": {"base64": photo}}),
        ("/v1/search", {"text": [{"text": "dress"}], "like": ["p3"], "limit": 3}),
        ("/v1/classify", {"image": {"base64": photo}, "labels": ["dress", "mug"]}),
        ("/v1/detect", {"image": {"base64": photo}, "labels": ["dress", "mug"]}),
    ]
    for path, body in requests:
        answer = httpx.post(shop.url + path, json=body, timeout=240)
        assert answer.status_code == 200, (path, answer.text, shop.log())


def write_and_read_back(shop: ServiceProcess) -> None:
    """A changed price and a new product are carried out by the worker."""
    with httpx.Client(
        base_url=shop.url, timeout=240, headers={"Authorization": f"Bearer {TOKEN}"}
    ) as client:
        image = {"base64": base64.b64encode(picture(7)).decode()}
        product = {"id": "new", "title": "New", "price": 5, "image": image}
        answer = client.put("/v1/admin/products", json=[product])
        assert answer.status_code == 202, answer.text
        job = f"/v1/admin/jobs/{answer.json()['job_id']}"
        until(lambda: client.get(job).json()["state"] == "done", "the product is added")
        assert client.get("/v1/products/new").json()["product"]["title"] == "New"
