"""Measures on drawn products that no training picture shows: seeds from a range kept for them."""

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product

from PIL import Image

from demo.drawing import CATEGORIES, COLORS, PATTERNS, Item, draw, random_item
from training.captions import Wording, held_out_wordings
from training.checkpoints import Encoder, Rows
from training.scores import precision_at, recall_at

__all__ = ["Missed", "measure_drawn"]

Missed = list[tuple[str, float]]
"""Queries and their precision, the worst first."""

_SIZE = 224
_SEED = 777_000_000
_PAIRS, _TRIPLES, _TWINS = 150, 80, 300
_PER_QUERY = 11


def _gallery(rng: random.Random) -> tuple[list[Item], list[Wording], list[Wording]]:
    """Items, and the pairs and triples to ask for: each of them, and each free wording, is there
    _PER_QUERY times at least."""
    pairs = [
        Wording(f"a {k} {c}", frozenset({c}), k, None, None)
        for c, k in rng.sample(list(product(CATEGORIES, COLORS)), _PAIRS)
    ]
    triples = [
        Wording(f"a {k} {p} {c}", frozenset({c}), k, p, None)
        for c, k, p in rng.sample(list(product(CATEGORIES, COLORS, PATTERNS)), _TRIPLES)
    ]
    wordings = [
        wording for wording in (*pairs, *triples, *held_out_wordings()) for _ in range(_PER_QUERY)
    ]
    return [_right(wording, rng) for wording in wordings], pairs, triples


def _right(wording: Wording, rng: random.Random) -> Item:
    """A random item that is right for the wording."""
    attributes = {"color": wording.color, "pattern": wording.pattern, "material": wording.material}
    fixed = {name: word for name, word in attributes.items() if word is not None}
    return random_item(rng, category=rng.choice(sorted(wording.categories)), **fixed)


def _draw(item: Item) -> Image.Image:
    return draw(item, _SIZE)


def _drawn(items: Sequence[Item], workers: int) -> Iterator[Image.Image]:
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(_draw, items, chunksize=32)


def measure_drawn(encoder: Encoder, *, workers: int) -> tuple[dict[str, float], dict[str, Missed]]:
    """Returns precision@10 of color and category, with pattern, and of the free wordings, and
    recall@1 of items drawn again.

    Beside it the queries of each kind, the worst first.
    """
    rng = random.Random(_SEED)
    items, pairs, triples = _gallery(rng)
    rows = encoder.images(_drawn(items, workers), len(items))
    queries = {
        "a {color} {category}": pairs,
        "a {color} {pattern} {category}": triples,
        "free wordings": list(held_out_wordings()),
    }
    scores, missed = {}, {}
    for name, wordings in queries.items():
        precisions = _precision(encoder, rows, items, wordings)
        scores[f"{name}: precision@10"] = sum(value for _, value in precisions) / len(precisions)
        missed[name] = sorted(precisions, key=lambda pair: pair[1])
    twins = [random_item(rng) for _ in range(_TWINS)]
    again = [replace(item, seed=rng.getrandbits(32)) for item in twins]
    first, second = (encoder.images(_drawn(group, workers), _TWINS) for group in (twins, again))
    scores["the same item drawn again: recall@1"] = recall_at(
        1, first @ second.T, lambda row, column: row == column
    )
    return scores, missed


def _precision(
    encoder: Encoder, rows: Rows, items: Sequence[Item], wordings: Sequence[Wording]
) -> Missed:
    similarities = encoder.texts([wording.text for wording in wordings]) @ rows.T
    values = precision_at(10, similarities, lambda row, column: _fits(wordings[row], items[column]))
    return [(wording.text, float(value)) for wording, value in zip(wordings, values, strict=True)]


def _fits(wording: Wording, item: Item) -> bool:
    return (
        item.category in wording.categories
        and wording.color in (None, item.color)
        and wording.pattern in (None, item.pattern)
        and wording.material in (None, item.material)
    )
