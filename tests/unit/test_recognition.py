"""What the models can tell: probabilities as scipy's softmax gives them, templates averaged,
limits kept."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.special import softmax

from tests.fakes import FakeEmbedder
from vitrine.embedding import Detection
from vitrine.errors import InvalidQuery
from vitrine.recognition import Recognition, crop
from vitrine.settings import Settings

RED = Image.new("RGB", (40, 60), (220, 30, 30))


def _recognition(embedder: FakeEmbedder) -> Recognition:
    return Recognition(
        lambda: embedder,
        lambda: pytest.fail("no detector here"),
        None,
        Settings(max_labels=5, max_text_chars=50),
    )  # type: ignore[arg-type]


def test_similarities_are_the_cosines_in_the_order_of_the_texts():
    embedder = FakeEmbedder()
    texts = ["blue", "red"]
    found = _recognition(embedder).similarity(RED, texts)
    expected = embedder.embed_texts(texts) @ embedder.embed_images([RED])[0]
    assert [s.text for s in found] == texts
    assert np.allclose([s.cosine for s in found], expected, atol=1e-6)
    assert found[1].cosine > 0.8 > found[0].cosine


def test_probabilities_are_the_softmax_at_the_models_logit_scale_highest_first():
    embedder = FakeEmbedder()
    labels = ["blue", "green", "red"]
    found = _recognition(embedder).classify(RED, labels)
    cosines = (
        embedder.embed_texts([f"a photo of a {label}" for label in labels])
        @ embedder.embed_images([RED])[0]
    )
    expected = dict(zip(labels, softmax(20.0 * cosines.astype(np.float64)), strict=True))
    assert found[0].label == "red"
    assert {c.label: pytest.approx(c.probability, abs=1e-6) for c in found} == expected
    assert sum(c.probability for c in found) == pytest.approx(1)


def test_several_templates_are_averaged_as_unit_rows():
    embedder = FakeEmbedder()
    templates = ["a photo of a {}", "{} for sale"]
    found = {
        c.label: c.probability
        for c in _recognition(embedder).classify(RED, ["red", "blue"], templates)
    }
    rows = []
    for label in ("red", "blue"):
        mean = np.mean([embedder.embed_texts([t.format(label)])[0] for t in templates], axis=0)
        rows.append(mean / np.linalg.norm(mean))
    expected = softmax(20.0 * (np.stack(rows) @ embedder.embed_images([RED])[0]).astype(np.float64))
    assert found == pytest.approx(dict(zip(("red", "blue"), expected, strict=True)), abs=1e-6)


def test_one_label_has_all_the_probability_and_duplicates_share_it():
    recognition = _recognition(FakeEmbedder())
    assert recognition.classify(RED, ["red"])[0].probability == pytest.approx(1)
    assert [c.probability for c in recognition.classify(RED, ["red", "red"])] == pytest.approx(
        [0.5, 0.5]
    )


@pytest.mark.parametrize(
    ("labels", "templates", "field"),
    [
        ([], ["{}"], "labels"),
        (["a"] * 6, ["{}"], "labels"),
        (["a" * 51], ["{}"], "labels"),
        ([" "], ["{}"], "labels"),
        (["a"], ["a photo"], "template"),
        (["a"], ["{} {}"], "template"),
        (["a"], [], "template"),
    ],
)
def test_labels_and_templates_outside_the_limits_are_refused(
    labels: list[str], templates: list[str], field: str
):
    with pytest.raises(InvalidQuery) as caught:
        _recognition(FakeEmbedder()).classify(RED, labels, templates)
    assert caught.value.errors[0].field == field


def test_braces_inside_a_label_are_only_text():
    assert _recognition(FakeEmbedder()).classify(RED, ["{0.__class__}"])[0].label == "{0.__class__}"


def test_a_box_beyond_the_picture_is_clipped_to_at_least_one_pixel():
    assert crop(RED, (-5, -5, 20.4, 30.6)).size == (20, 31)
    assert crop(RED, (39.9, 70, 80, 90)).size == (1, 1)


def test_boxes_are_drawn_on_a_copy():
    from vitrine.boxes import draw_boxes

    drawn = draw_boxes(
        RED, [Detection("mug", 0.9, (5, 5, 30, 50)), Detection("ü" * 500, 0.1, (-3, -3, 90, 90))]
    )
    assert drawn.size == RED.size
    assert drawn.getpixel((5, 25)) != RED.getpixel((5, 25))
    assert RED.getcolors() == [(2400, (220, 30, 30))]
