"""What a query asks of the index: its vector, its words, its filter, and how they are ranked."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vitrine.errors import FieldError, InvalidQuery
from vitrine.fields.colors import families
from vitrine.fields.schema import Schema
from vitrine.filters import All, Condition, Filter, Not, parse_filter
from vitrine.folding import fold
from vitrine.index.fusion import Fusion, Negative
from vitrine.lexicon import Lexicon
from vitrine.products import Record, Vector
from vitrine.queries import SearchQuery
from vitrine.relevance import CLOSE, least_log_odds
from vitrine.results import Note
from vitrine.understanding import Understanding
from vitrine.words import QueryWords, query_words, unknown_words

__all__ = [
    "QueryPlan",
    "WeightedVector",
    "example_parts",
    "filtered_fields",
    "fused_plan",
    "understand",
    "vector_plan",
    "weighted_texts",
    "with_understood",
]


MAX_UNKNOWN = 5
"""Words that notes name."""


@dataclass(frozen=True, eq=False)
class WeightedVector:
    """One thing a query compares with: its name for explanations, its weight, its unit vector
    (dimension,)."""

    name: str
    weight: float
    vector: Vector
    is_text: bool = False
    """Whether it is a text of the query, and not a picture or an example."""


@dataclass(frozen=True, eq=False)
class QueryPlan:
    """What is asked of the index; `parts` are the positive parts, for explanations."""

    vector: Vector | None
    filter: Filter
    parts: Sequence[WeightedVector] = ()
    fusion: Fusion | None = None
    understanding: Understanding | None = None
    notes: tuple[Note, ...] = ()


def _combine(parts: Sequence[WeightedVector]) -> Vector:
    """The weighted sum of the parts, scaled to unit length.

    `InvalidQuery` when they cancel each other out.
    """
    if len(parts) == 1 and parts[0].weight > 0:
        return parts[0].vector
    mixed = np.sum([p.weight * p.vector.astype(np.float64) for p in parts], axis=0)
    length = float(np.linalg.norm(mixed))
    if length < 1e-6:
        raise InvalidQuery.of(
            "weights", "the parts of the query cancel each other out; change a weight"
        )
    return np.asarray(mixed / length, dtype=np.float32)


def vector_plan(query: SearchQuery, parts: Sequence[WeightedVector]) -> QueryPlan:
    """Plain cosine similarity to the one combined vector, as version 1 ranked."""
    return QueryPlan(_combine(parts) if parts else None, query.filter, parts)


def understand(query: SearchQuery, lexicon: Lexicon) -> Understanding | None:
    """What the query's one text means.

    None where there is none, or several, or it is not wanted.
    """
    if not query.understand or len(query.texts) != 1 or query.texts[0].weight <= 0:
        return None
    return lexicon.reader.read(
        query.texts[0].text,
        literal=query.literal,
        filtered=filtered_fields(query.filter),
        vocabulary=lexicon.vocabulary,
    )


def fused_plan(
    query: SearchQuery,
    parts: Sequence[WeightedVector],
    lexicon: Lexicon,
    *,
    understanding: Understanding | None,
    schema: Schema,
) -> QueryPlan:
    """Words and vectors together.

    `parts` are the embedded parts of the query as `understanding` left it, its negatives included.
    Parts of negative weight never move the vector: they push down inside what the others find.
    """
    positive = [part for part in parts if part.weight > 0]
    negative = [part for part in parts if part.weight < 0]
    vector = _combine(positive) if positive and query.ranking != "words" else None
    fusion = Fusion(
        key=_key(query, lexicon, negative),
        model=lexicon.model.key,
        words=_words(query, lexicon, understanding),
        constants=lexicon.model.constants,
        kind="text" if all(part.is_text for part in positive) else "image",
        least=least_log_odds(_least(query.cutoff)),
        vague=understanding is not None and understanding.vague,
        narrows=understanding is not None and bool(understanding.filters),
        negatives=tuple(_negative(part, lexicon) for part in negative),
        newer_terms=lexicon.vocabulary.newer,
    )
    notes = _unknown_words(lexicon, understanding)
    plan = QueryPlan(vector, query.filter, positive, fusion, notes=notes)
    return with_understood(plan, understanding, schema)


def _least(cutoff: float | str) -> float:
    if isinstance(cutoff, str):
        return CLOSE if cutoff == "auto" else 0.0
    return cutoff


def _words(query: SearchQuery, lexicon: Lexicon, understanding: Understanding | None) -> QueryWords:
    vocabulary, analyzer = lexicon.vocabulary, lexicon.analyzer
    texts = [t.text for t in query.texts if t.weight > 0]
    whole = texts[0] if len(texts) == 1 and not query.pictures else ""
    if understanding is None:
        return query_words(" ".join(texts), vocabulary, analyzer, whole=whole)
    return query_words(
        understanding.words,
        vocabulary,
        analyzer,
        whole=whole,
        preferred=understanding.preferred,
        extra=understanding.extra,
        named=understanding.named,
        vague=understanding.vague,
    )


def _unknown_words(lexicon: Lexicon, understanding: Understanding | None) -> tuple[Note, ...]:
    """A note on each word of the query that no product has, as it was typed."""
    if understanding is None:
        return ()
    words = unknown_words(
        understanding.words,
        lexicon.vocabulary,
        lexicon.analyzer,
        besides=understanding.preferred,
    )
    text = unicodedata.normalize("NFC", understanding.words)
    typed = {fold(word): word for word in reversed(re.findall(r"\w+", text))}
    shown = [typed.get(word, word) for word in words[:MAX_UNKNOWN] if not families([word])]
    return tuple(Note("unknown_word", f"no product says {word!r}", value=word) for word in shown)


def _negative(part: WeightedVector, lexicon: Lexicon) -> Negative:
    text = part.name.removeprefix("text: ") if part.is_text else ""
    words = query_words(text, lexicon.vocabulary, lexicon.analyzer, whole="")
    return Negative(part.vector, words, "text" if part.is_text else "image", part.is_text)


def weighted_texts(
    query: SearchQuery, understanding: Understanding | None
) -> list[tuple[str, float]]:
    """The texts that are embedded, with their weights: as understanding left them."""
    texts = [(t.text, t.weight * query.text_weight) for t in query.texts]
    if understanding is None:
        return texts
    words = [(understanding.words, texts[0][1])] if understanding.words else []
    return [*words, *((text, -1.0) for text in understanding.negatives)]


def example_parts(query: SearchQuery, records: Mapping[str, Record]) -> list[WeightedVector]:
    """The vectors of the products that a query likes and unlikes; `InvalidQuery` for one that
    `records` lack."""
    examples = [("like", i, 1.0) for i in query.like] + [("unlike", i, -1.0) for i in query.unlike]
    faults = [
        FieldError(name, f"there is no product {product_id!r}")
        for name, product_id, _ in examples
        if product_id not in records
    ]
    if faults:
        raise InvalidQuery(faults)
    return [
        WeightedVector(f"{name}: {product_id}", weight, records[product_id].vector)
        for name, product_id, weight in examples
    ]


def with_understood(
    plan: QueryPlan, understanding: Understanding | None, schema: Schema
) -> QueryPlan:
    """The plan under the filters that were understood as well."""
    if understanding is None:
        return plan
    understood = [parse_filter(dict(tree), schema) for tree in understanding.filters]
    condition = All((plan.filter, *understood)) if understood else plan.filter
    return replace(plan, filter=condition, understanding=understanding)


def _key(query: SearchQuery, lexicon: Lexicon, negative: Sequence[WeightedVector]) -> str:
    """All that a fusion depends on but for the vector, which is part of the query's own key."""
    parts = (
        lexicon.model.key,
        sorted(lexicon.vocabulary.newer),
        query.texts,
        query.ranking,
        query.cutoff,
        query.understand,
        query.literal,
        sorted(filtered_fields(query.filter)),
        not query.pictures,
        [(part.name, part.vector.tobytes()) for part in negative],
        [*query.like],
    )
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()


def filtered_fields(tree: Filter) -> frozenset[str]:
    """The fields that a filter has conditions on."""
    if isinstance(tree, Condition):
        return frozenset((tree.field.name,))
    if isinstance(tree, Not):
        return filtered_fields(tree.part)
    return frozenset().union(*(filtered_fields(part) for part in tree.parts))
