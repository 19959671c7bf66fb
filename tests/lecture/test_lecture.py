"""What the lecture's programs print, Vitrine answers: on the bundled checkpoints, over HTTP."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset
from flask.testing import FlaskClient
from PIL import Image

import demo
from demo.catalogue import write_catalogue
from ingest.sources import open_source
from ingest.tasks.bulk_ingest import run
from service import create_app
from tests.checkpoints import photo
from tests.lecture import program
from vitrine.embedding import exported, onnx_export
from vitrine.fields import Mapping
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

DEMO = Path(demo.__file__).parent
CLIP = str(DEMO / "checkpoints" / "clip")
OWLVIT = str(DEMO / "checkpoints" / "owlvit")
LABELS = ["dress", "mug", "armchair", "shirt"]
TEXTS = [
    "A red dress.",
    "This is a mug.",
    "a blue shirt with stripes",
    "There are two chairs.",
    "a " * 90,
]
QUERIES = ["A red dress", "blue mug", "striped shirt", "something to sit on", "black shoes"]


@dataclass
class Shop:
    """The catalogue's rows in order, and the service over it."""

    client: FlaskClient
    ids: list[str]
    pictures: list[Image.Image]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("lecture")
    catalogue = write_catalogue(folder / "catalogue.parquet", products=60, seed=31, processes=1)
    training_split = load_dataset(
        "parquet", data_files=str(catalogue), split="train", cache_dir=str(folder / "cache")
    )
    settings = Settings(data_dir=folder / "data", model="bundled", detector="bundled", device="cpu")
    vitrine = Vitrine(settings)
    with pytest.MonkeyPatch.context() as patch:  # exports run here, where torch is loaded already
        patch.setattr(exported, "_run", lambda order: onnx_export.main([order.model_dump_json()]))
        summary = run(
            vitrine,
            open_source(str(catalogue), settings),
            Mapping.load(str(DEMO / "catalogue.toml")),
        )
        assert summary.failed == 0
        yield Shop(
            create_app(vitrine).test_client(),
            list(training_split["id"]),
            [row["image"] for row in training_split],
        )
    vitrine.close()


@pytest.fixture(scope="module")
def detecting(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The same with the detector on torch: its export takes as long as all the rest here, and
    tests/unit/embedding/test_detection.py compares one with the pipeline."""
    folder = tmp_path_factory.mktemp("detecting")
    vitrine = Vitrine(Settings(data_dir=folder, detector="bundled", device="cpu", runtime="torch"))
    yield replace(shop, client=create_app(vitrine).test_client())
    vitrine.close()


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def asked(shop: Shop, path: str, image: Image.Image, **request: Any) -> Any:
    """The service's answer about a picture, uploaded beside its JSON."""
    parts = {"image": (io.BytesIO(png(image)), "picture.png"), "request": json.dumps(request)}
    response = shop.client.post(path, data=parts, content_type="multipart/form-data")
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.get_json()


def pictures(shop: Shop) -> list[Image.Image]:
    """Two of the catalogue's, and pictures larger than the model looks at, upright and wide."""
    return [shop.pictures[0], shop.pictures[37], photo(1, 700, 500), photo(2, 431, 902)]


@pytest.mark.timeout(400)
def test_similarity_gives_the_lectures_cosines(shop: Shop) -> None:
    for image in pictures(shop):
        found = asked(shop, "/v1/similarity", image, texts=TEXTS)["similarities"]
        assert [each["text"] for each in found] == TEXTS
        assert [each["cosine"] for each in found] == pytest.approx(
            program.similarities(CLIP, image, TEXTS), abs=1e-4
        )


def test_classify_gives_the_lectures_probabilities(shop: Shop) -> None:
    for image in pictures(shop):
        found = asked(shop, "/v1/classify", image, labels=LABELS)["labels"]
        expected = dict(zip(LABELS, program.probabilities(CLIP, image, LABELS), strict=True))
        assert {each["label"]: each["probability"] for each in found} == pytest.approx(
            expected, abs=1e-3
        )
        assert [each["label"] for each in found] == sorted(
            LABELS, key=lambda label: -expected[label]
        )


@pytest.mark.timeout(400)
def test_detect_gives_the_lectures_boxes(detecting: Shop) -> None:
    tall = Image.new("RGB", (400, 700), "white")
    tall.paste(detecting.pictures[3].resize((300, 300)), (50, 20))
    tall.paste(detecting.pictures[49].resize((300, 300)), (50, 370))
    for image in (tall, tall.transpose(Image.Transpose.ROTATE_90), detecting.pictures[5]):
        threshold = gap_between(
            [each["score"] for each in program.detections(OWLVIT, image, LABELS, 0.0)]
        )
        found = asked(detecting, "/v1/detect", image, labels=LABELS, threshold=threshold)["objects"]
        expected = program.detections(OWLVIT, image, LABELS, threshold)
        assert 5 <= len(found) <= 20
        for ours, theirs in zip(
            sorted(found, key=by_label), sorted(expected, key=by_label), strict=True
        ):
            assert ours["label"] == theirs["label"]
            assert ours["score"] == pytest.approx(theirs["score"], abs=1e-3)
            assert ours["box"] == pytest.approx(theirs["box"], abs=1.01), (
                "the pipeline cuts to whole pixels"
            )


def gap_between(scores: list[float]) -> float:
    """The middle of the widest gap between the 5th and the 20th score, so that rounding decides
    about no object."""
    ranked = sorted(scores, reverse=True)[4:20]
    upper, lower = max(itertools.pairwise(ranked), key=lambda pair: pair[0] - pair[1])
    return (upper + lower) / 2


def by_label(found: dict[str, Any]) -> tuple[str, float]:
    return found["label"], found["score"]


@pytest.fixture(scope="module")
def search(shop: Shop) -> program.Search:
    return program.Search(CLIP, shop.pictures)


def expect_same_five(shop: Shop, answer: Any, expected: list[tuple[int, float]]) -> None:
    """In the same order. Cosines may differ in the fourth decimal: Vitrine resizes with weights of
    16 bits, so that some values of a picture differ by one level."""
    hits = answer["hits"]
    assert [hit["id"] for hit in hits] == [shop.ids[place] for place, _ in expected]
    assert [hit["score"] for hit in hits] == pytest.approx(
        [cosine for _, cosine in expected], abs=2e-4
    )


@pytest.mark.parametrize("query", QUERIES)
def test_text_search_gives_the_lectures_five_in_order(
    query: str, shop: Shop, search: program.Search
) -> None:
    asked_for = {"q": query, "limit": 5, "ranking": "vector"}  # as the lecture ranks
    answer = shop.client.get("/v1/search", query_string=asked_for).get_json()
    expect_same_five(shop, answer, search.by_text(query))


def test_picture_search_gives_the_lectures_five_in_order(
    shop: Shop, search: program.Search
) -> None:
    for image in (
        shop.pictures[10],
        shop.pictures[55].rotate(10, fillcolor="white"),
        photo(3, 200, 220),
    ):
        answer = asked(shop, "/v1/search", image, limit=5, ranking="vector")
        expect_same_five(shop, answer, search.by_image(image))
