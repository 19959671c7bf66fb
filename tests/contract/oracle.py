"""What the right answer is: every product compared in turn, written from the ports' words alone."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from tests.contract.catalogue import SCHEMA
from vitrine.fields.schema import Field, FieldType
from vitrine.filters import All, AnyOf, Condition, Filter, Not
from vitrine.index import IndexQuery
from vitrine.products import Product, Record
from vitrine.queries import Sort
from vitrine.relevance import CLOSE, QueryRelevance, Signals, pushed_log_odds, relevance_of
from vitrine.results import Group
from vitrine.words import Analyzer, DocumentWords, QueryWords, document_words

__all__ = [
    "candidate_set",
    "document_of",
    "facet_counts",
    "folded",
    "fulfills",
    "grouped",
    "in_order",
    "listed",
    "matched_image",
    "matching",
    "score",
    "sorted_page",
]


def fulfills(product: Product, tree: Filter) -> bool:
    """Whether a product is let through."""
    if isinstance(tree, All):
        return all(fulfills(product, part) for part in tree.parts)
    if isinstance(tree, AnyOf):
        return any(fulfills(product, part) for part in tree.parts)
    if isinstance(tree, Not):
        return not fulfills(product, tree.part)
    return _holds(product, tree)


def _holds(product: Product, condition: Condition) -> bool:
    value: Any = product.value(condition.field.name)
    if condition.operator == "exists":
        return (value is not None) is condition.operand
    if value is None:
        return False
    values = value if isinstance(value, tuple) else (value,)
    operand: Any = condition.operand
    if condition.operator == "match":
        words = re.findall(r"\w+", folded(value))
        return all(word in words for o in operand for word in re.findall(r"\w+", folded(o)))
    if condition.operator == "in":
        return _equals_one(product, condition.field, values, operand)
    compare = {
        "gt": lambda a, b: a > b,
        "gte": lambda a, b: a >= b,
        "lt": lambda a, b: a < b,
        "lte": lambda a, b: a <= b,
    }[condition.operator]
    return any(compare(v, operand) for v in values)


def _equals_one(product: Product, field: Field, values: tuple[Any, ...], operand: Any) -> bool:
    """Texts but ids are equal when they are without case, accents and further blanks."""
    if field.name == "id" or not isinstance(operand[0], str):
        return any(v == o for v in values for o in operand)
    if field.type is FieldType.COLOR:
        values = (*product.colors, *values)
    plain, wanted = [folded(v) for v in values], [folded(o) for o in operand]
    if field.type is FieldType.PATH:
        return any(v == o or v.startswith(o + "/") for v in plain for o in map(_path, wanted))
    return any(v == o for v in plain for o in wanted)


def _path(text: str) -> str:
    return "/".join(level.strip() for level in text.replace(">", "/").split("/") if level.strip())


def score(record: Record, vector: np.ndarray) -> float:
    """The largest cosine similarity of the pictures, to six decimals."""
    return max(_cosines(record, vector))


def matched_image(record: Record, vector: np.ndarray) -> int:
    """The first picture with the largest cosine similarity to six decimals."""
    cosines = _cosines(record, vector)
    return cosines.index(max(cosines))


def _cosines(record: Record, vector: np.ndarray) -> list[float]:
    query = vector.astype(np.float64)
    return [round(float(np.dot(row.astype(np.float64), query)), 6) for row in record.vectors]


def matching(records: Iterable[Record], tree: Filter) -> list[Record]:
    """The records under the filter."""
    return [r for r in records if fulfills(r.product, tree)]


def candidate_set(
    records: Iterable[Record], query: IndexQuery
) -> list[tuple[Record, float | None]]:
    """The whole candidate set in the order of the query's sort."""
    under_filter = [r for r in matching(records, query.filter) if r.product.id not in query.exclude]
    if query.fusion is not None:
        scored: list[tuple[Record, float | None]] = list(_fused(list(records), under_filter, query))
    elif query.vector is None:
        scored = [(r, None) for r in under_filter]
    else:
        rated = [(r, score(r, query.vector)) for r in under_filter]
        rated = [(r, s) for r, s in rated if query.min_score is None or s >= query.min_score]
        rated.sort(key=lambda pair: (-pair[1], pair[0].product.id))
        scored = list(rated[: query.candidates])
    scored = in_order(scored, query.sort)
    if query.fusion is not None:
        scored = [(r, float(relevance_of(np.asarray(value)))) for r, value in scored]
    return scored if query.collapse is None else _collapsed(scored, query.collapse)


_ANALYZER = Analyzer("en")
_documents: dict[int, tuple[Product, DocumentWords]] = {}


def document_of(product: Product) -> DocumentWords:
    """The words of a product, cut out once: it never changes."""
    if id(product) not in _documents:
        if len(_documents) > 5000:
            _documents.clear()
        _documents[id(product)] = (product, document_words(product, SCHEMA, _ANALYZER))
    return _documents[id(product)][1]


def _fused(
    all_records: list[Record], under_filter: list[Record], query: IndexQuery
) -> Iterable[tuple[Record, float]]:
    """Every product valued alone, without an index: log-odds of cosines, words and exact key."""
    fusion = query.fusion
    assert fusion is not None
    documents = {id(r): document_of(r.product) for r in all_records}

    def words_score(record: Record, words: QueryWords, weights: Any) -> float:
        document = documents[id(record)]
        mine = dict(zip(document.term_ids.tolist(), document.values.tolist(), strict=True))
        terms = zip(words.term_ids.tolist(), weights.tolist(), strict=True)
        total = sum(weight * mine.get(term, 0.0) for term, weight in terms)
        return total / words.best if words.best > 0 else 0.0

    def best(words: QueryWords) -> float:
        return max((words_score(r, words, words.core) for r in all_records), default=0.0)

    def odds(record: Record, vector: Any, words: QueryWords, relevance: QueryRelevance) -> float:
        signals = Signals(
            0.0 if vector is None else score(record, vector),
            0.0 if vector is None else _text_cosine(record, vector),
            words=words_score(record, words, words.weights),
            exact=words.exact_key != "" and words.exact_key in documents[id(record)].exact_keys,
        )
        return float(relevance.log_odds(signals))

    relevance = fusion.relevance(query.vector, best(fusion.words))
    valued = [(r, odds(r, query.vector, fusion.words, relevance)) for r in under_filter]
    valued = [(r, v) for r, v in valued if v >= fusion.least and v > -np.inf]
    valued.sort(key=lambda pair: (-pair[1], pair[0].product.id))
    valued = valued[: query.candidates]
    negatives = [(n, fusion.negative_relevance(n, best(n.words))) for n in fusion.negatives]
    ranked = []
    for record, value in valued:
        unwanted = [
            float(relevance_of(np.asarray(odds(record, n.vector, n.words, r))))
            for n, r in negatives
        ]
        dropped = any(
            n.drops and bad >= CLOSE for (n, _), bad in zip(negatives, unwanted, strict=True)
        )
        if not dropped:
            pushed = pushed_log_odds(np.array([value]), np.array(unwanted).reshape(-1, 1))
            ranked.append((record, float(pushed[0])))
    return ranked


def _text_cosine(record: Record, vector: np.ndarray) -> float:
    """Cosine similarity of the words' vector to six decimals; 0 where there is none."""
    if record.text_vector is None:
        return 0.0
    return round(float(np.dot(record.text_vector.astype(np.float64), vector.astype(np.float64))), 6)


def in_order(
    scored: Iterable[tuple[Record, float | None]], sort: Sort
) -> list[tuple[Record, float | None]]:
    """By the last key first: each further sort is stable, so it leaves the order of equals."""
    ranked = sorted(scored, key=lambda pair: pair[0].product.id)
    for key in reversed(sort.keys):
        ranked = _sorted_by(ranked, key)
    return ranked


def _sorted_by(
    scored: list[tuple[Record, float | None]], key: Sort
) -> list[tuple[Record, float | None]]:
    def value(pair: tuple[Record, float | None]) -> Any:
        if key.field is None:
            return None if pair[1] is None else -pair[1]
        stored = pair[0].product.value(key.field)
        return folded(stored) if isinstance(stored, str) else stored

    present = [pair for pair in scored if value(pair) is not None]
    # reverse keeps the order of equals as well
    present.sort(key=value, reverse=key.descending)
    return present + [pair for pair in scored if value(pair) is None]


def folded(text: str) -> str:
    """The text without case, accents and signs that cannot be seen, as far as the tests go."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    letters = (
        letter
        for letter in plain
        if letter.isspace() or unicodedata.category(letter) not in ("Mn", "Cc", "Cf")
    )
    return " ".join("".join(letters).split())


def _collapsed(
    scored: list[tuple[Record, float | None]], field: str
) -> list[tuple[Record, float | None]]:
    seen, firsts = set(), []
    for record, rated in scored:
        group = _group(record, field)
        if group is None or group not in seen:
            firsts.append((record, rated))
        seen.add(group)
    return firsts


def sorted_page(records: Iterable[Record], query: IndexQuery) -> list[tuple[str, float | None]]:
    """Ids and scores of the first page."""
    return [(r.product.id, s) for r, s in candidate_set(records, query)[: query.limit]]


def grouped(records: Iterable[Record], collapse: str | None) -> list[list[Record]]:
    """The records by the group that a collapse shows once; each of no group by itself."""
    groups: dict[Any, list[Record]] = {}
    for number, record in enumerate(records):
        group = None if collapse is None else _group(record, collapse)
        groups.setdefault(number if group is None else group, []).append(record)
    return list(groups.values())


def _group(record: Record, field: str) -> Any:
    value = record.product.value(field)
    return value[0] if isinstance(value, tuple) else value


def facet_counts(
    groups: Sequence[Sequence[Record]], field: str, kind: FieldType
) -> dict[str | bool, int]:
    """How many of the groups have a record with each value, in its most frequent spelling."""
    written: Counter[Any] = Counter()
    alike: Counter[Any] = Counter()
    for group in groups:
        values = {value for record in group for value in _counted(record, field, kind)}
        written.update(values)
        alike.update({_alike(value) for value in values})
    return {_spelled(form, written, kind): count for form, count in alike.items()}


def _alike(value: Any) -> Any:
    return folded(value) if isinstance(value, str) else value


def _spelled(form: Any, written: Counter[Any], kind: FieldType) -> Any:
    """The most frequent of equal values, a path within the spelling of the path above it."""
    spellings = [value for value in written if _alike(value) == form]
    best = min(spellings, key=lambda value: (-written[value], value))
    if kind is not FieldType.PATH or "/" not in form:
        return best
    above = _spelled(form.rpartition("/")[0], written, kind)
    return f"{above}/{best.rpartition('/')[2]}"


def _counted(record: Record, field: str, kind: FieldType) -> Iterable[Any]:
    product = record.product
    value: Any = product.colors if kind is FieldType.COLOR else product.value(field)
    values = () if value is None else value if isinstance(value, tuple) else (value,)
    if kind is FieldType.PATH:
        return [v.rsplit("/", up)[0] for v in values for up in range(v.count("/") + 1)]
    return values


def listed(
    counts: dict[str | bool, int], kind: FieldType, values: int
) -> list[tuple[str | bool, int]]:
    """The most frequent values; of paths as many on each level, below those that are listed."""
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    if kind is not FieldType.PATH:
        return ranked[:values]
    shown: list[str] = []
    for depth in range(10):
        level = [str(path) for path, _ in ranked if str(path).count("/") == depth]
        shown += [p for p in level if depth == 0 or p.rpartition("/")[0] in shown][:values]
    return [(path, count) for path, count in ranked if path in shown]


def moment(text: str) -> datetime:
    """A time, for conditions."""
    return datetime.fromisoformat(text)


def group(variants: Iterable[Record], query: IndexQuery, record: Record) -> Group | None:
    """What of a set before its collapse shares the record's value."""
    field = query.collapse
    value = None if field is None or field == "id" else first_value(record, field)
    if field is None or value is None:
        return None
    members = [r.product for r in variants if first_value(r, field) == value]
    prices = [p.price for p in members if p.price is not None]
    return Group(
        len(members),
        min(prices) if prices else None,
        max(prices) if prices else None,
        tuple(sorted({color for p in members for color in p.colors})),
        tuple(sorted(p.id for p in members)[:50]),
    )


def first_value(record: Record, field: str) -> Any:
    """What a product is collapsed by."""
    value = record.product.value(field)
    return value[0] if isinstance(value, tuple) else value
