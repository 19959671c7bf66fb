"""The tables the lecture prints, from the models it names: `pytest -m hub --image cat.jpg` where a
model hub can be reached.

The photo is the lecture's own data/cat.jpg (COCO val2017 000000039769).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL.Image import Image

from vitrine.images.decode import ImageLimits, decode
from vitrine.settings import Settings
from vitrine.wiring import Vitrine

pytestmark = [pytest.mark.hub, pytest.mark.enable_socket, pytest.mark.timeout(3600)]

COSINES = {
    "This is a cat.": 0.2482,
    "This is a dog.": 0.2080,
    "There are two cats.": 0.2723,
    "This is a truck.": 0.1814,
    "This is a couch.": 0.2376,
}
PERCENT = {"cat": 74.51, "dog": 0.39, "truck": 0.04, "couch": 25.07}
OBJECTS = [
    (0.2868, "cat", (324, 20, 640, 373)),
    (0.2770, "remote", (40, 72, 177, 115)),
    (0.2537, "cat", (1, 55, 315, 472)),
    (0.1474, "remote", (335, 74, 371, 187)),
    (0.1208, "couch", (4, 0, 642, 476)),
]


@pytest.fixture(scope="module")
def vitrine(tmp_path_factory: pytest.TempPathFactory) -> Vitrine:
    """With the models that Vitrine uses when nothing is set."""
    return Vitrine(Settings(data_dir=tmp_path_factory.mktemp("hub"), device="cpu"))


@pytest.fixture(scope="module")
def image(request: pytest.FixtureRequest) -> Image:
    path = request.config.getoption("--image")
    assert path, "name the lecture's photo: pytest -m hub --image cat.jpg"
    return decode(Path(path).read_bytes(), ImageLimits.of(Settings()))


def test_the_printed_cosines(vitrine: Vitrine, image: Image) -> None:
    found = vitrine.recognition.similarity(image, list(COSINES))
    assert {each.text: each.cosine for each in found} == pytest.approx(COSINES, abs=1e-3)


def test_the_printed_percentages(vitrine: Vitrine, image: Image) -> None:
    found = vitrine.recognition.classify(image, list(PERCENT))
    assert {each.label: 100 * each.probability for each in found} == pytest.approx(PERCENT, abs=0.2)


def test_the_printed_boxes(vitrine: Vitrine, image: Image) -> None:
    found = vitrine.recognition.detect(
        image, ["cat", "dog", "truck", "couch", "remote"], threshold=0.1
    )
    assert [each.label for each in found] == [label for _, label, _ in OBJECTS]
    for each, (score, _, box) in zip(found, OBJECTS, strict=True):
        assert each.score == pytest.approx(score, abs=5e-3)
        assert each.box == pytest.approx(box, abs=2)
