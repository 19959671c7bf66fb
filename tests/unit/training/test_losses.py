"""The losses and scores of training, against slow and plain versions of themselves."""

import itertools
import math
import random

import numpy as np
import pytest
import torch

from training.detection_losses import (
    Predictions,
    assigned,
    corners,
    detection_losses,
    generalized_iou,
)
from training.detection_measures import average_precision, iou
from training.losses import caption_loss, twin_loss
from training.scores import best, precision_at, recall_at

pytestmark = pytest.mark.slow  # loads torch


@pytest.fixture
def generator() -> torch.Generator:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    return torch.Generator().manual_seed(seed)


def unit(rows: int, generator: torch.Generator) -> torch.Tensor:
    return torch.nn.functional.normalize(
        torch.randn(rows, 8, generator=generator, dtype=torch.float64), dim=1
    )


def plain_direction(logits: np.ndarray, fits: np.ndarray) -> float:
    losses = []
    for row, right in zip(logits, fits, strict=True):
        if not (right == 1).any():
            continue
        total = math.log(
            sum(math.exp(value) for value, fit in zip(row, right, strict=True) if fit >= 0)
        )
        losses.append(
            np.mean([total - value for value, fit in zip(row, right, strict=True) if fit == 1])
        )
    return float(np.mean(losses))


def test_caption_loss_counts_every_fitting_pair_and_no_unknown_one(
    generator: torch.Generator,
) -> None:
    texts, images = unit(6, generator), unit(5, generator)
    fits = torch.randint(-1, 2, (6, 5), generator=generator)
    fits.fill_diagonal_(1)
    logits = 7.0 * (texts @ images.T).numpy()
    expected = (
        plain_direction(logits, fits.numpy()) + plain_direction(logits.T, fits.T.numpy())
    ) / 2
    assert float(caption_loss(texts, images, torch.tensor(7.0), fits)) == pytest.approx(expected)


def test_caption_loss_is_small_when_pictures_lie_on_their_texts() -> None:
    rows = torch.eye(4)
    assert float(caption_loss(rows, rows, torch.tensor(50.0), torch.eye(4).long())) < 1e-6


def test_twin_loss_asks_for_the_other_of_a_pair(generator: torch.Generator) -> None:
    images = unit(6, generator)
    logits = (images @ images.T / 0.1).numpy()
    expected = 0.0
    for row in range(6):
        others = [math.exp(logits[row, column]) for column in range(6) if column != row]
        expected -= logits[row, row ^ 1] - math.log(sum(others))
    assert float(twin_loss(images, temperature=0.1)) == pytest.approx(expected / 6)


def test_generalized_iou_of_known_boxes() -> None:
    one = torch.tensor([0.0, 0.0, 2.0, 2.0])
    assert float(generalized_iou(one, one)) == pytest.approx(1.0)
    assert float(generalized_iou(one, torch.tensor([1.0, 0.0, 3.0, 2.0]))) == pytest.approx(1 / 3)
    assert float(generalized_iou(one, torch.tensor([4.0, 0.0, 6.0, 2.0]))) == pytest.approx(-1 / 3)


SIDE = torch.tensor([1 / 6, 0.5, 5 / 6])
PLACES = torch.cartesian_prod(SIDE, SIDE).flip(1)


def predictions_of(pictures: int, generator: torch.Generator) -> Predictions:
    boxes = torch.rand(pictures, 9, 4, generator=generator) * 0.4 + 0.2
    logits = torch.randn(pictures, 9, 3, generator=generator)
    return Predictions(logits, boxes, logits.tanh())


def some_boxes(count: int, generator: torch.Generator) -> torch.Tensor:
    return torch.rand(count, 4, generator=generator) * 0.4 + 0.2


def nearest(boxes: torch.Tensor) -> tuple[int, ...]:
    """The tokens, one to a box, whose middles are nearest to the boxes' taken together."""

    def cost(tokens: tuple[int, ...]) -> float:
        return sum(
            float((PLACES[token] - box[:2]).norm())
            for token, box in zip(tokens, boxes, strict=True)
        )

    return min(itertools.permutations(range(9), len(boxes)), key=cost)


def test_each_product_is_given_to_a_token_of_its_own_near_its_middle(
    generator: torch.Generator,
) -> None:
    predictions, pictures = (
        predictions_of(3, generator),
        [some_boxes(count, generator) for count in (3, 0, 2)],
    )
    losses = detection_losses(
        predictions, assigned(pictures, torch.eye(5, 3, dtype=torch.int8), PLACES)
    )
    expected = 0.0
    for picture, boxes in enumerate(pictures):
        for token, box in zip(nearest(boxes), boxes, strict=True):
            mine = predictions.boxes[picture, token]
            expected += (
                float(
                    5 * (mine - box).abs().sum()
                    + 2 * (1 - generalized_iou(corners(mine), corners(box)))
                )
                / 5
            )
    assert float(losses.matched_boxes) == pytest.approx(expected, rel=1e-4)


def test_tokens_on_a_product_learn_what_it_is_every_picture_counting_the_same(
    generator: torch.Generator,
) -> None:
    predictions = predictions_of(2, generator)
    left, all_over = torch.tensor([[0.2, 0.5, 0.3, 0.9]]), torch.tensor([[0.5, 0.5, 1.0, 1.0]])
    fits = torch.tensor([[1, 0, -1], [0, 0, 1]], dtype=torch.int8)
    losses = detection_losses(predictions, assigned([left, all_over], fits, PLACES))

    def surprise(picture: int, token: int, right: int, known: tuple[int, ...]) -> float:
        scores = [15 * float(predictions.cosines[picture, token, query]) for query in known]
        return math.log(sum(map(math.exp, scores))) - 15 * float(
            predictions.cosines[picture, token, right]
        )

    first = np.mean([surprise(0, token, 0, (0, 1)) for token in (0, 3, 6)])
    second = np.mean([surprise(1, token, 2, (0, 1, 2)) for token in range(9)])
    assert float(losses.dense_names) == pytest.approx((first + second) / 2, rel=1e-4)


def test_a_scene_without_products_teaches_to_say_no(generator: torch.Generator) -> None:
    losses = detection_losses(
        predictions_of(1, generator),
        assigned([torch.zeros(0, 4)], torch.zeros(0, 3, dtype=torch.int8), PLACES),
    )
    assert float(losses.matched_names) > 0
    assert (
        float(losses.matched_boxes) == float(losses.dense_boxes) == float(losses.dense_names) == 0
    )


def test_iou_of_known_boxes() -> None:
    assert iou((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert iou((0, 0, 2, 2), (2, 0, 3, 2)) == 0


def test_average_precision_of_a_curve_worked_out_by_hand() -> None:
    box = (0.0, 0.0, 10.0, 10.0)
    expected = [(0, box), (1, box)]
    assert average_precision([(0, box, 0.9), (1, box, 0.8)], expected) == 1
    assert average_precision([], expected) == 0
    assert average_precision(
        [(0, box, 0.9), (0, box, 0.8), (1, box, 0.7)], expected
    ) == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert average_precision(
        [(0, (20.0, 20.0, 30.0, 30.0), 0.9), (1, box, 0.5)], expected
    ) == pytest.approx(0.25)


def test_precision_and_recall_count_the_best_columns() -> None:
    table = np.array([[0.1, 0.9, 0.5], [0.3, 0.2, 0.3]], np.float32)
    assert best(table, 2).tolist() == [[1, 2], [0, 2]]
    assert precision_at(
        2, table, lambda row, column: (row, column) in {(0, 1), (1, 1)}
    ).tolist() == [0.5, 0.0]
    assert recall_at(1, table, lambda row, column: row == 1 and column == 0) == 0.5
