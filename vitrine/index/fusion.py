"""Words and vectors as one order: what a fused query asks of an index."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vitrine.products import Vector
from vitrine.relevance import QueryRelevance, RelevanceConstants
from vitrine.understanding import KnownValues
from vitrine.words import QueryWords, Vocabulary
from vitrine.words.phrases import Phrase, phrases_from_bytes, phrases_to_bytes

__all__ = ["Fusion", "Negative", "SearchModel", "language_of", "understood_fields"]

Kind = Literal["text", "image"]


@dataclass(frozen=True, eq=False)
class SearchModel:
    """What a version has learned of itself when it was completed: its words and its constants."""

    vocabulary: Vocabulary
    values: KnownValues
    constants: RelevanceConstants
    phrases: tuple[Phrase, ...]
    key: str
    """Identifies it: another one of the same version has another key."""
    mark: int | None = None
    """`VectorIndex.mark` before the products were read; None where an earlier release made it."""

    @classmethod
    def of(
        cls,
        vocabulary: Vocabulary,
        values: KnownValues,
        constants: RelevanceConstants,
        phrases: tuple[Phrase, ...],
        *,
        mark: int | None = None,
    ) -> SearchModel:
        """The model of a vocabulary, the catalogue's values and phrases, and its constants."""
        parts = [part.to_bytes() for part in (vocabulary, values, constants)]
        digest = hashlib.sha256(b"".join([*parts, phrases_to_bytes(phrases)]))
        return cls(vocabulary, values, constants, phrases, digest.hexdigest()[:16], mark)

    def to_bytes(self) -> bytes:
        """All of it, as a version stores it."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("vocabulary", self.vocabulary.to_bytes())
            archive.writestr("values", self.values.to_bytes())
            archive.writestr("phrases", phrases_to_bytes(self.phrases))
            archive.writestr("constants", self.constants.to_bytes())
            if self.mark is not None:
                archive.writestr("mark", str(self.mark))
        return packed.getvalue()

    @classmethod
    def from_bytes(cls, stored: bytes) -> SearchModel:
        """The model that `to_bytes` gave; `ValueError` where it is damaged."""
        try:
            with zipfile.ZipFile(io.BytesIO(stored)) as archive:
                return cls.of(
                    Vocabulary.from_bytes(archive.read("vocabulary")),
                    KnownValues.from_bytes(archive.read("values")),
                    RelevanceConstants.from_bytes(archive.read("constants")),
                    phrases_from_bytes(archive.read("phrases")),
                    mark=int(archive.read("mark")) if "mark" in archive.namelist() else None,
                )
        except (zipfile.BadZipFile, KeyError, EOFError) as error:
            raise ValueError(f"the stored search model is damaged: {error}") from error


@dataclass(frozen=True, slots=True, eq=False)
class Negative:
    """What a product should not be: pushes products down, and with `drops` takes out close ones."""

    vector: Vector
    words: QueryWords
    kind: Kind
    drops: bool


@dataclass(frozen=True, slots=True)
class Fusion:
    """How the products under a filter are ordered by words and vectors together.

    A product's order value is `QueryRelevance.log_odds` of its signals: its cosine with the query's
    vector, its words score and whether the query names it exactly. The candidate set is: those
    whose value is at least `least`, less what a `Negative` drops; of these the best by (value
    descending, id ascending), values as the negatives push them down. Two are equal when their
    `key` is.
    """

    key: str
    model: str
    """The key of the search model that the constants are of."""
    words: QueryWords = field(compare=False)
    constants: RelevanceConstants = field(compare=False)
    kind: Kind = field(compare=False)
    least: float = field(compare=False)
    negatives: tuple[Negative, ...] = field(default=(), compare=False)
    newer_terms: frozenset[int] = field(default=frozenset(), compare=False)
    """Ids of its terms that only products have which were written after the learning."""
    vague: bool = field(default=False, compare=False)
    """Whether it asks for anything that fits its words ("something warm")."""
    narrows: bool = field(default=False, compare=False)
    """Whether its text filters as well ("under 30")."""

    @property
    def all_words(self) -> tuple[QueryWords, ...]:
        """The words of the query, then those of each negative."""
        return (self.words, *(negative.words for negative in self.negatives))

    def relevance(self, vector: Vector | None, best_words: float) -> QueryRelevance:
        """The query's relevance, given the highest core words score of any product of the
        version."""
        return QueryRelevance(
            self.constants,
            vector=vector,
            kind=self.kind,
            best_words=best_words,
            subject=self.words.subject,
            other_kind=self.words.other_kind,
            vague=self.vague,
            narrows=self.narrows,
        )

    def negative_relevance(self, negative: Negative, best_words: float) -> QueryRelevance:
        """As `relevance`, for a negative as if it were the query."""
        return QueryRelevance(
            self.constants,
            vector=negative.vector,
            kind=negative.kind,
            best_words=best_words,
            subject=negative.words.subject,
            other_kind=negative.words.other_kind,
        )


def language_of(mapping: Mapping[str, Any]) -> str:
    """The language of a catalogue's words, as its mapping says; English where it says nothing."""
    return str(mapping.get("language", "en"))


def understood_fields(mapping: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields whose values the search box understands, as a catalogue's mapping says."""
    fields = mapping.get("fields", {})
    return tuple(name for name, column in fields.items() if column.get("understand"))
