"""The relevance of products for one query."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vitrine.products import Vector
from vitrine.relevance.constants import BackgroundSample, RelevanceConstants, VectorModel
from vitrine.relevance.cosines import background_of, vector_level
from vitrine.relevance.log_odds import EXACT, LOG_ODDS_DECIMALS, relevance_of

__all__ = ["Explanation", "QueryRelevance", "Signals", "round_best_words"]

SAME = 0.999
"""A picture with this cosine is the one that was asked for, scaled or saved anew. It is close even
in a catalogue whose pictures all look alike to the model."""

ONE_FORM = 0.9
"""The core score of a product with each word in its title and its category. More has hardly any but
one with several forms of a word, and others are not to be measured against that."""

_BEST_WORDS_DIGITS = 4
"""Significant digits of the highest core score that are used: as many as float32 sums are exact to,
so that all indexes use the same number."""


@dataclass(frozen=True, slots=True)
class Signals:
    """The signals of products, each an array (n,) or a number: cosines from -1 to 1, words scores
    from 0 to 1.

    `picture` is the largest cosine over a product's pictures. `text` is 0 where the version keeps
    no text vectors, `words` 0 where no word matches, `exact` whether the whole query names the
    product.
    """

    picture: ArrayLike
    text: ArrayLike = 0.0
    words: ArrayLike = 0.0
    exact: ArrayLike = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """The parts of one product's relevance: its signals, and the log-odds that they are worth."""

    picture: float
    text: float
    words: float
    exact: bool
    vector_log_odds: float
    """Those of the vectors alone, less what is asked of them where words name the thing."""
    words_log_odds: float | None
    """None where no word matches."""
    relevance: float


@dataclass(frozen=True, slots=True)
class _Mix:
    """Log-odds as a sum of the two cosines."""

    picture: float
    text: float
    offset: float

    def log_odds(self, picture: ArrayLike, text: ArrayLike) -> NDArray[np.float64]:
        cosines = np.asarray(picture, dtype=np.float64), np.asarray(text, dtype=np.float64)
        return np.asarray(self.picture * cosines[0] + self.text * cosines[1] + self.offset)


@dataclass(frozen=True, slots=True, eq=False)
class _BackgroundCosines:
    """The cosines of a query with the version's sample, float32 (1, n); `has_texts` whether it
    keeps text vectors, else `texts` are 0."""

    pictures: NDArray[np.float32]
    texts: NDArray[np.float32]
    has_texts: bool

    @classmethod
    def of(cls, background: BackgroundSample, vector: Vector) -> _BackgroundCosines:
        query, text_rows = vector.reshape(1, -1), background.text_rows
        pictures = query @ background.picture_rows.T
        texts = np.zeros_like(pictures) if text_rows is None else query @ text_rows.T
        return cls(pictures, texts, text_rows is not None)

    def mix(self, model: VectorModel) -> _Mix:
        """The model's sum for this query."""
        means, deviations = background_of(self.pictures)
        picture = model.picture + model.picture_z / deviations[0]
        text, offset = 0.0, model.intercept - model.picture_z * means[0] / deviations[0]
        if self.has_texts:
            means, deviations = background_of(self.texts)
            text = model.text + model.text_z / deviations[0]
            offset -= model.text_z * means[0] / deviations[0]
        return _Mix(float(picture), float(text), float(offset))


class QueryRelevance:
    """Computes the relevance of products from their signals for one query; no method changes it.

    `vector` is the query's combined unit vector, None for a query of words alone (then cosines are
    not used). `kind` is "image" if a photo or an example takes part, else "text". `best_words` is
    the highest core score of any product of the version for this query, whatever the filter: 0 if
    there is none. For `subject`, `other_kind` and core scores see `vitrine.words.QueryWords`; of
    another kind a query is where no product says enough of its words. `vague` says that the query
    asks for anything that fits it ("something warm"): where no product is close by its words, the
    one in ten that fits it best by its vectors is, or, where its own filter `narrows` it ("gift for
    grandma under 30"), nearly all.
    """

    def __init__(  # noqa: PLR0913  # what words tell of a query
        self,
        constants: RelevanceConstants,
        *,
        vector: Vector | None,
        kind: Literal["text", "image"] = "text",
        best_words: float = 0.0,
        subject: bool = False,
        other_kind: bool = False,
        vague: bool = False,
        narrows: bool = False,
    ) -> None:
        best_words = round_best_words(best_words)
        self._words = constants.words
        self._scale = best_words if subject else max(best_words, constants.words.floor)
        if other_kind and self._best_by_words(best_words) >= 0:
            subject, other_kind, self._scale = True, False, best_words
        self._has_vector = vector is not None
        self._vectors = self._looks = _Mix(0.0, 0.0, 0.0)
        self._level = 0.0
        if vector is not None:
            cosines = _BackgroundCosines.of(constants.background, vector)
            self._measure_background(constants, kind, cosines)
            if vague and self._best_by_words(best_words) < 0:
                self._lower_cutoff(cosines, narrows=narrows)
        answered = min(best_words / constants.words.typical, 1.0)
        self._confidence = 0.5 + 0.5 * answered
        self._alone = constants.words.alone * answered if subject else 0.0
        if other_kind:
            self._alone = constants.words.other_kind
            self._looks, self._level = _Mix(0.0, 0.0, 0.0), 0.0

    def _measure_background(
        self,
        constants: RelevanceConstants,
        kind: Literal["text", "image"],
        cosines: _BackgroundCosines,
    ) -> None:
        model = constants.text if kind == "text" else constants.image
        self._vectors = self._looks = cosines.mix(model)
        if kind == "image":
            least = -self._vectors.picture * SAME
            self._vectors = replace(self._vectors, offset=max(self._vectors.offset, least))
        elif constants.looks is not None:
            self._looks = cosines.mix(constants.looks)
        self._level = vector_level(self._looks.log_odds(cosines.pictures[0], cosines.texts[0]))

    def _best_by_words(self, best_words: float) -> float:
        """The log-odds of the best words score, before they are tempered, without looks."""
        return self._words.slope * best_words / max(self._scale, 1e-9) + self._words.intercept

    def _lower_cutoff(self, cosines: _BackgroundCosines, *, narrows: bool) -> None:
        log_odds = self._vectors.log_odds(cosines.pictures[0], cosines.texts[0])
        level = float(log_odds.min()) if narrows else vector_level(log_odds)
        self._vectors = replace(self._vectors, offset=self._vectors.offset - min(level, 0.0))

    @property
    def vector_weights(self) -> tuple[float, float]:
        """What a picture's and a text's cosine weigh for this query: products without a word are
        ordered by the sum."""
        return self._vectors.picture, self._vectors.text

    @property
    def counted(self) -> tuple[bool, bool]:
        """Whether the cosine of a picture, and that of a text, can change any order value."""
        words, looks = self._words.vector, self._looks
        picture = self._vectors.picture > 0 or words * looks.picture > 0
        return picture, self._vectors.text > 0 or words * looks.text > 0

    def vector_log_odds(self, picture: ArrayLike, text: ArrayLike = 0.0) -> NDArray[np.float64]:
        """Log-odds of the vectors alone, float64 (n,)."""
        return self._vectors.log_odds(picture, text)

    def looks_log_odds(self, picture: ArrayLike, text: ArrayLike = 0.0) -> NDArray[np.float64]:
        """Log-odds of what helps words, float64 (n,)."""
        return self._looks.log_odds(picture, text)

    def unmatched_log_odds(self, picture: ArrayLike, text: ArrayLike = 0.0) -> NDArray[np.float64]:
        """`log_odds` of products that match no word and are not named, before rounding."""
        return self.vector_log_odds(picture, text) - self._alone

    def least_picture(self, least: float, most_text: float) -> float:
        """The picture's cosine that products without a word need to reach `least`, where no text's
        cosine is above `most_text`: -2 where any does, 2 where none does. No weight is negative."""
        if self._vectors.picture == 0:
            return -2.0
        missing = least - float(self.unmatched_log_odds(0.0, most_text))
        return min(max(missing / self._vectors.picture, -2.0), 2.0)

    def words_log_odds(self, words: ArrayLike, looks: ArrayLike) -> NDArray[np.float64]:
        """Log-odds of products that match a word: their words score, and what `looks_log_odds` are
        above the query's level."""
        share = np.asarray(words, dtype=np.float64) / max(self._scale, 1e-9)
        above = np.maximum(np.asarray(looks, dtype=np.float64) - self._level, 0.0)
        total = self._words.slope * share + self._words.vector * above + self._words.intercept
        return np.asarray(total * self._confidence)

    def log_odds(self, signals: Signals) -> NDArray[np.float64]:
        """What products are ordered by, float64 (n,), rounded; it never falls when a signal rises.

        It is the higher of the vectors' and the words' log-odds, not their sum: those of the words
        contain the looks already, and two weak matches are no good one. Products that the query
        names exactly come before all others. -inf means no match at all.
        """
        vector = self.vector_log_odds(signals.picture, signals.text)
        looks = self.looks_log_odds(signals.picture, signals.text)
        words = self.words_log_odds(signals.words, looks)
        matched = np.asarray(signals.words) > 0
        alone = vector - self._alone if self._has_vector else np.full(np.shape(words), -np.inf)
        odds = np.where(matched, np.maximum(alone, words), alone)
        named = np.where(np.isfinite(odds), odds, 0.0) + EXACT
        return np.asarray(np.round(np.where(signals.exact, named, odds), LOG_ODDS_DECIMALS) + 0.0)

    def relevance(self, signals: Signals) -> NDArray[np.float64]:
        """Relevance from 0 to 1, float64 (n,): `relevance_of` the log-odds."""
        return relevance_of(self.log_odds(signals))

    def explain(self, signals: Signals) -> Explanation:
        """The parts of one product's relevance; `signals` are single numbers."""
        vector = float(self.vector_log_odds(signals.picture, signals.text))
        looks = float(self.looks_log_odds(signals.picture, signals.text))
        words = float(np.asarray(signals.words))
        return Explanation(
            picture=float(np.asarray(signals.picture)),
            text=float(np.asarray(signals.text)),
            words=words,
            exact=bool(signals.exact),
            vector_log_odds=vector - self._alone,
            words_log_odds=float(self.words_log_odds(words, looks)) if words > 0 else None,
            relevance=float(self.relevance(signals)),
        )


def round_best_words(score: float) -> float:
    """What relevance counts of a best core score: a few digits, and `ONE_FORM` at most."""
    return float(f"{min(score, ONE_FORM):.{_BEST_WORDS_DIGITS}g}")
