"""What a version knows about its own signals: small, frozen, stored with the version."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BackgroundSample", "RelevanceConstants", "VectorModel", "WordsModel"]


@dataclass(frozen=True, slots=True)
class VectorModel:
    """How cosines become log-odds of a match: a weighted sum plus `intercept`.

    `picture` and `text` are the weights of the cosines themselves, `picture_z` and `text_z` those
    of the cosines' z-scores: their distance from the mean of the query's background, in standard
    deviations of it. No weight is negative. From 0 on a product is close: hardly any text that no
    shop sells reaches 0 with any product.
    """

    picture: float
    picture_z: float
    text: float
    text_z: float
    intercept: float


@dataclass(frozen=True, slots=True)
class WordsModel:
    """How a words score becomes log-odds, for products that match a word.

    log-odds = (`slope` * u + `vector` * v + `intercept`) * confidence, where

    * u is the product's words score divided by the highest one of the version for this query, or by
      `floor` if that is higher and the query names nothing that the catalogue sells: then half of
      the words are not enough;
    * v is how far the log-odds of looks are above the level that one product in ten reaches, else
      0;
    * confidence falls from 1 to 1/2 as the highest words score falls below `typical`, that of a
      true match. It moves the relevance towards one half and never across it.

    `alone` is added to what a product without the words needs of its vectors, where the query names
    something that the catalogue has: the less, the lower the highest words score is. `other_kind`
    is added where it names another kind of it, "camera bag" in a shop for sleeping bags: there
    looks do not help words either, since all bags look like one.
    """

    slope: float
    vector: float
    intercept: float
    floor: float
    typical: float
    alone: float = 0.0
    other_kind: float = 0.0


@dataclass(frozen=True, eq=False)
class BackgroundSample:
    """A fixed random sample of the version's vectors, float16 (n, dimension): the background of
    every query. `texts` is None where the version keeps none."""

    pictures: NDArray[np.float16]
    texts: NDArray[np.float16] | None

    @cached_property
    def picture_rows(self) -> NDArray[np.float32]:
        """`pictures` as they are multiplied: widened once, not for every query."""
        return self.pictures.astype(np.float32)

    @cached_property
    def text_rows(self) -> NDArray[np.float32] | None:
        """`texts` as they are multiplied."""
        return None if self.texts is None else self.texts.astype(np.float32)


@dataclass(frozen=True, eq=False)
class RelevanceConstants:
    """The learned constants of one version.

    `text` is for queries in words, `image` for those with a photo or an example. `looks` is what
    helps words: a mix of pictures alone, since the vector of a product's text says what its words
    say; None where that is the same, or was learned before the two were told apart. `products` were
    in the version when they were learned: they are renewed when a fifth of the catalogue has
    changed. `assumed` names the parts that a catalogue was too small or too uniform to teach, which
    are those of an ordinary one instead.
    """

    text: VectorModel
    image: VectorModel
    words: WordsModel
    background: BackgroundSample
    products: int
    assumed: tuple[str, ...] = ()
    looks: VectorModel | None = None

    def stale(self, changed: int) -> bool:
        """Whether so many products have been added, changed or removed that they are to be
        learned anew."""
        return changed * 5 >= max(self.products, 1)

    def summary(self) -> dict[str, Any]:
        """The numbers without the sample, as `vitrine versions` prints them."""
        return {
            "text": asdict(self.text),
            "image": asdict(self.image),
            "words": asdict(self.words),
            "looks": None if self.looks is None else asdict(self.looks),
            "products": self.products,
            "sample": len(self.background.pictures),
            "assumed": list(self.assumed),
        }

    def lines(self) -> list[str]:
        """The summary as lines for an operator to read."""
        looks = self.looks or self.text
        parts = (
            ("text", self.text),
            ("looks", looks),
            ("image", self.image),
            ("words", self.words),
        )
        return [
            f"relevance learned from {self.products} products",
            *(
                f"  {name:<6}"
                + ", ".join(f"{key} {value:.3g}" for key, value in asdict(model).items())
                + (" (assumed: too little to learn from)" if name in self.assumed else "")
                for name, model in parts
            ),
        ]

    def to_bytes(self) -> bytes:
        """All of it, as a version stores it; about 2 bytes a number of the sample."""
        packed = io.BytesIO()
        texts = self.background.texts
        numbers = np.frombuffer(json.dumps(self.summary()).encode("utf-8"), dtype=np.uint8)
        np.savez_compressed(
            packed,
            numbers=numbers,
            pictures=self.background.pictures,
            texts=np.zeros((0, 0), np.float16) if texts is None else texts,
        )
        return packed.getvalue()

    @classmethod
    def from_bytes(cls, stored: bytes) -> RelevanceConstants:
        """The constants that `to_bytes` gave; `ValueError` where they are damaged."""
        try:
            with np.load(io.BytesIO(stored), allow_pickle=False) as packed:
                numbers = json.loads(packed["numbers"].tobytes())
                looks = numbers.get("looks")
                return cls(
                    VectorModel(**numbers["text"]),
                    VectorModel(**numbers["image"]),
                    WordsModel(**numbers["words"]),
                    BackgroundSample(
                        packed["pictures"], packed["texts"] if packed["texts"].size else None
                    ),
                    numbers["products"],
                    tuple(numbers["assumed"]),
                    None if looks is None else VectorModel(**looks),
                )
        except (KeyError, TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"the stored relevance constants are damaged: {error}") from error
