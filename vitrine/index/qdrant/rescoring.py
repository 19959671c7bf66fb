"""Exact scores in place of Qdrant's.

Qdrant finds and scores in float32, so its scores differ in the last digits from one plan, processor
or replica to the next. Wherever that could decide something (who is in the set, who comes first on
the page) the scores are computed again in float64 from the original vectors, read for the few
products in question: the same answer as every other backend. A product's score is the largest of
its pictures', in Qdrant (max-sim) as here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine.index.ports import SCORE_DECIMALS
from vitrine.index.qdrant.payload import ID
from vitrine.index.qdrant.point import Point
from vitrine.products import Vector

__all__ = ["SCORE_TOLERANCE", "Candidate", "CosineRescorer", "Fetch", "Rescorer", "best_picture"]

SCORE_TOLERANCE = 1e-5
"""How far Qdrant's score may be from the exact one.

Measured: 1e-8 at 512 dimensions; n x 2^-24 bounds it at 6e-5 for n = 1024 only if every rounding
went the same way.
"""


@dataclass(slots=True, eq=False)
class Candidate:
    """A product that Qdrant reported; `score` is Qdrant's until it is rescored."""

    point: Point
    score: float = field(init=False)
    id: str = field(init=False)
    """Of the product; empty while only the point's id and score have been read."""
    rescored: bool = False
    image: int | None = 0
    """Which of the product's pictures has the score; known once it is rescored, None where none
    took part."""

    def __post_init__(self) -> None:
        self.score = self.point.score
        self.id = str(self.point.payload.get(ID, ""))

    @property
    def payload(self) -> Mapping[str, Any]:
        """The keys that were read to decide about the candidate."""
        return self.point.payload

    @property
    def rank(self) -> tuple[float, str]:
        """Sorts by score descending, then id."""
        return (-self.score, self.id)


Fetch = Callable[[Iterable[str]], dict[str, Point]]
"""Reads points with payload and vectors by their ids."""


class Rescorer(ABC):
    """Replaces Qdrant's scores by exact ones.

    `points` holds all that were read.
    """

    tolerance = SCORE_TOLERANCE
    """How far a candidate's score may be from the exact one."""
    decimals = SCORE_DECIMALS
    """To which exact scores are rounded."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self.points: dict[str, Point] = {}
        self.gone: set[str] = set()
        """Points that were deleted since Qdrant reported them."""

    def add(self, points: Iterable[Point]) -> None:
        """Add points that have been read with payload and vector."""
        self.points |= {point.id: point for point in points}

    def load(self, candidates: Iterable[Candidate]) -> None:
        """Read what is missing of these, in one request."""
        ids = [c.point.id for c in candidates]
        missing = [i for i in ids if i not in self.points and i not in self.gone]
        if missing:
            self.points |= self._fetch(missing)
            self.gone |= {i for i in missing if i not in self.points}

    def rescore(self, candidates: Iterable[Candidate]) -> None:
        """Make the scores of these exact, rounded to `decimals`."""
        pending = [c for c in candidates if not c.rescored]
        self.load(pending)
        read = [self.points[c.point.id] for c in pending if c.point.id in self.points]
        scores = dict(zip([p.id for p in read], self.scores(read) if read else (), strict=True))
        for candidate in pending:
            point = self.points.get(candidate.point.id)
            if candidate.point.id in scores:
                exact, image = scores[candidate.point.id]
                self.assign_score(candidate, exact, image)
            else:
                self.assign_score(candidate, candidate.score, candidate.image)
            candidate.id = candidate.id if point is None else str(point.payload[ID])

    def assign_score(self, candidate: Candidate, exact: float, image: int | None) -> None:
        """Set a candidate's exact score.

        A product that was written again since Qdrant scored it keeps its place on this page.
        """
        close = abs(exact - candidate.score) <= self.tolerance
        candidate.score = round(exact if close else candidate.score, self.decimals) + 0.0
        candidate.image = image
        candidate.rescored = True

    def rescore_whole(self, candidates: Iterable[Candidate]) -> None:
        """Rescore these, and read all that a hit shows of them."""
        self.rescore(candidates)

    def rescore_close_to(self, candidates: Iterable[Candidate], score: float) -> None:
        """Rescore those whose score cannot be told from this one."""
        self.rescore(c for c in candidates if abs(c.score - score) <= 2 * self.tolerance)

    def present(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Those that have not been deleted meanwhile, as far as is known."""
        return [c for c in candidates if c.point.id not in self.gone]

    def shown(self, score: float) -> float:
        """The score as hits have it."""
        return score

    @abstractmethod
    def scores(self, points: Sequence[Point]) -> Sequence[tuple[float, int | None]]:
        """The exact scores of points that were read, and which picture each is of."""


class CosineRescorer(Rescorer):
    """Scores are cosines with a vector."""

    def __init__(self, vector: Vector, fetch: Fetch) -> None:
        super().__init__(fetch)
        self._vector = vector.astype(np.float64)

    def scores(self, points: Sequence[Point]) -> Sequence[tuple[float, int | None]]:
        """The largest cosine of each point's pictures, and the first picture that has it."""
        return [best_picture(point, self._vector) for point in points]


def best_picture(point: Point, vector: NDArray[np.float64]) -> tuple[float, int]:
    """The largest cosine of a point's pictures, rounded, and the first that has it."""
    cosines = np.round(
        np.einsum("ij,j->i", point.pictures.astype(np.float64), vector), SCORE_DECIMALS
    )
    image = int(cosines.argmax())
    return float(cosines[image]), image
