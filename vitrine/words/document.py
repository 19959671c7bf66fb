"""The words of a product: a sparse value a term for BM25, and the caption that is embedded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine.fields.colors import families
from vitrine.fields.schema import FieldType, Schema
from vitrine.folding import fold
from vitrine.products import Product
from vitrine.words.analysis import Analyzer
from vitrine.words.exact import code_keys, exact_keys
from vitrine.words.terms import term_id
from vitrine.words.titles import title_heads

__all__ = [
    "FIELD_GROUPS",
    "DocumentWords",
    "FieldGroup",
    "document_words",
    "embedded_fields",
    "kind_term",
    "product_text",
    "saturated",
    "term_frequencies",
]

K1 = 1.2
"""Saturation of term frequencies (Robertson and Zaragoza 2009, "The Probabilistic Relevance
Framework: BM25 and Beyond", 3.5: between 1.2 and 2)."""


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """How the words of some fields count: `weight` a word, `b` how much long texts are held back
    (the usual 0.75), `length` the words of a text that is neither long nor short. `least` is the
    least length that a text counts with: a word of a short title says more than one of a long
    title, but a mention in prose is a mention, however short the prose is."""

    weight: float
    b: float
    length: float
    least: float = 0.0

    def norm(self, length: int) -> float:
        """What the words of a text of so many words are divided by."""
        return 1 - self.b + self.b * max(length, self.least) / self.length


FIELD_GROUPS = {
    "title": FieldGroup(4.0, 0.75, 5.0),
    "facts": FieldGroup(2.0, 0.75, 5.0),
    "prose": FieldGroup(0.5, 0.75, 60.0, least=60.0),
}
"""Title before brand, category, colors and attributes, these before descriptions.

The lengths are constants, not the averages of the catalogue: so a product's values depend on the
product alone. They are the same on every backend and shard and while a version is being written,
and no other product's change ever makes them wrong. What differs between catalogues, how rare a
word is, stands on the query's side (`Vocabulary`)."""

_NOT_WORDS = frozenset(("id", "group_id", "codes", "currency", "in_stock", "url"))
"""Codes are found by their keys, alone and among words; the others are no words."""
_TYPES = (FieldType.TEXT, FieldType.KEYWORD, FieldType.COLOR, FieldType.PATH, FieldType.BOOL)


@dataclass(frozen=True, slots=True, eq=False)
class DocumentWords:
    """What an index keeps of a product's words.

    `term_ids` is uint32 (terms,), ascending, each once; `values` is float32 (terms,), between 0 and
    1: the saturated, weighted term frequency of BM25F (Zaragoza et al. 2004) without IDF. `words`
    are the words as they stand in the product (folded), `names` those of them outside its prose:
    what spelling is corrected to and suggestions complete. `subjects` are the terms that say what
    it is: the head of its title and the words of its categories and brand. `kinds` are those that
    are the whole name of its category, or of a part of it ("Hoodies & Sweatshirts"), but for words
    that say how a thing is ("Men's Shoes"); of the levels above the last one only what its title
    says too: under "Food/Pasta" nothing may be called a food. `exact_keys` see
    `vitrine.words.exact`.
    """

    term_ids: NDArray[np.uint32]
    values: NDArray[np.float32]
    words: frozenset[str]
    names: frozenset[str]
    subjects: frozenset[int]
    kinds: frozenset[int]
    exact_keys: tuple[str, ...]


def document_words(product: Product, schema: Schema, analyzer: Analyzer) -> DocumentWords:
    """The words of a product: the same for the same product in every process, forever.

    Color words of a description do not count where the product names its color: they belong to the
    style ("also in red"), not to this variant.
    """
    texts = list(_texts(product, schema, analyzer))
    kinds = _kinds(product, analyzer)
    facts = list(map(term_id, _exact_facts(product, kinds)))
    frequencies = _frequencies(texts, facts, analyzer.stop_pairs(product.title))
    ids = sorted(frequencies)
    words: set[str] = set()
    names: set[str] = set()
    for group, text_words in texts:
        own = [word for word, _ in text_words]
        words.update(own)
        if group is not FIELD_GROUPS["prose"]:
            names.update(own)
    return DocumentWords(
        np.array(ids, dtype=np.uint32),
        saturated(np.array([frequencies[i] for i in ids], dtype=np.float64)),
        frozenset(words),
        frozenset(names),
        frozenset(map(term_id, (*_subjects(product, analyzer), *code_keys(product)))),
        frozenset(map(term_id, kinds)),
        exact_keys(product),
    )


def term_frequencies(product: Product, schema: Schema, analyzer: Analyzer) -> Mapping[int, float]:
    """The weighted frequency of each term of a product by its id, in no order: what the values of
    `document_words` are made of, for half of the cost."""
    facts = list(map(term_id, _exact_facts(product, _kinds(product, analyzer))))
    pairs = analyzer.stop_pairs(product.title)
    return _frequencies(_texts(product, schema, analyzer), facts, pairs)


def kind_term(term: str) -> str:
    """The term of what is in a category of this name, which no word of a text is."""
    return f"{term} ;"


def _exact_facts(product: Product, kinds: Iterable[str]) -> Iterator[str]:
    """Terms that a product has as a whole: its codes and the names of its categories."""
    yield from code_keys(product)
    yield from map(kind_term, kinds)


def saturated(frequencies: NDArray[np.float64]) -> NDArray[np.float32]:
    """The values of terms with these weighted frequencies."""
    return (frequencies / (K1 + frequencies)).astype(np.float32)


def _frequencies(
    texts: Iterable[tuple[FieldGroup, Sequence[tuple[str, str]]]],
    exact_facts: Sequence[int],
    stop_pairs: Sequence[str],
) -> dict[int, float]:
    frequencies: defaultdict[int, float] = defaultdict(float)
    for group, text_words in texts:
        share = group.weight / group.norm(len(text_words))
        for _, term in text_words:
            frequencies[term_id(term)] += share
    facts = FIELD_GROUPS["facts"]
    for fact in exact_facts:
        frequencies[fact] += facts.weight / facts.norm(1)
    title = FIELD_GROUPS["title"]
    for pair in stop_pairs:
        frequencies[term_id(pair)] += title.weight / title.norm(len(stop_pairs))
    return frequencies


def _texts(
    product: Product, schema: Schema, analyzer: Analyzer
) -> Iterator[tuple[FieldGroup, Sequence[tuple[str, str]]]]:
    """Every text of the product that counts: how it counts, and its words with their terms."""
    own_colors = {*product.colors, *_families(product.color)}
    for field in schema:
        if field.name in _NOT_WORDS or field.type not in _TYPES:
            continue
        prose = field.type is FieldType.TEXT and field.name != "title"
        group = FIELD_GROUPS["prose" if prose else "facts"]
        for text in _field_texts(product, field.name, field.type):
            if field.name == "title":
                yield from _title_texts(text, analyzer)
                continue
            words = analyzer.words(text)
            if prose and own_colors:
                words = [pair for pair in words if _fits(pair[0], own_colors)]
            if words:
                yield group, words


def _title_texts(
    title: str, analyzer: Analyzer
) -> Iterator[tuple[FieldGroup, Sequence[tuple[str, str]]]]:
    """The words of a title; those behind "for" are about another thing, and count as facts do
    ("Strap for Ukuleles")."""
    words = analyzer.words(title)
    group = FIELD_GROUPS["title"]
    thing = analyzer.language.before_others(title)
    if thing is None:
        if words:
            yield group, words
        return
    length = len(words)
    named = analyzer.words(thing)
    yield replace(group, least=length), named
    yield replace(group, weight=FIELD_GROUPS["facts"].weight, least=length), words[len(named) :]


def _field_texts(product: Product, name: str, type: FieldType) -> Iterator[str]:
    value = product.value(name)
    if type is FieldType.BOOL:
        if value is True:
            yield name.replace("_", " ")
    elif type is FieldType.PATH and isinstance(value, tuple):
        levels = (level for path in value for level in path.split("/"))
        yield " ; ".join(dict.fromkeys(levels))
    elif type is FieldType.COLOR and isinstance(value, tuple):
        yield " ; ".join(dict.fromkeys((*value, *product.colors)))
    elif isinstance(value, tuple):
        yield " ; ".join(value)
    elif isinstance(value, str):
        yield value


def _fits(word: str, own_colors: set[str]) -> bool:
    named = _word_families(word)
    return not named or not own_colors.isdisjoint(named)


@lru_cache(maxsize=1 << 16)
def _word_families(word: str) -> tuple[str, ...]:
    return families([word])


_families = lru_cache(maxsize=1 << 12)(families)
"""Of a product's colors, which come again and again."""


def _subjects(product: Product, analyzer: Analyzer) -> Iterator[str]:
    yield from title_heads(product, analyzer)
    for path in product.category:
        yield from _named_by(path, analyzer)
    if product.brand:
        yield from (term for _, term in analyzer.words(product.brand))


def _kinds(product: Product, analyzer: Analyzer) -> list[str]:
    """The terms of `DocumentWords.kinds`, each once."""
    title = {term for _, term in analyzer.words(product.title)}
    kinds: list[str] = []
    for path in product.category:
        above, _, last = path.rpartition("/")
        kinds += _kinds_named(last, analyzer)
        kinds += (kind for kind in _kinds_named(above, analyzer) if kind in title)
    return list(dict.fromkeys(kinds))


@lru_cache(maxsize=1 << 12)
def _kinds_named(path: str, analyzer: Analyzer) -> tuple[str, ...]:
    """The terms that are the whole name of a level, or of a part of it, but for words that say how
    a thing is or for whom; kept, since categories come again and again."""
    kinds = []
    for part in (p for level in path.split("/") for p in analyzer.language.parts_of(level)):
        named = [token for token in analyzer.tokens(part) if not token.stop]
        kind = [token for token in named if not analyzer.language.is_quality(token.word)]
        if kind and all(token.joined for token in kind[1:]):  # "Tees", "Men's T-Shirts"
            kinds.append(kind[-1].term)
    return tuple(kinds)


@lru_cache(maxsize=1 << 12)
def _named_by(path: str, analyzer: Analyzer) -> tuple[str, ...]:
    """The terms that a category's levels call things by; kept, since categories come again."""
    levels = (_named_in(level, analyzer) for level in path.split("/"))
    return tuple(term for level in levels for _, term in analyzer.words(level))


def _named_in(level: str, analyzer: Analyzer) -> str:
    """The part of a category's name that says what is in it: "Juegos" of "Juegos de mesa", which
    are no tables."""
    if analyzer.language.head != "first":
        return level
    links = (t.start for t in analyzer.tokens(level) if t.word in analyzer.language.links)
    return fold(level)[: next(links, None)]


def product_text(product: Product, fields: Sequence[str] = ()) -> str:
    """Title, colors, the last level of the first category, brand and further `fields`, as a caption
    would name them.

    Short, since encoders read about 77 tokens and are trained on captions; descriptions are for the
    word index.

    >>> product_text(Product(id="1", title="Hat", color=("Red",), category=("Men/Hats",)))
    'Hat, Red, Hats'
    """
    leaf = product.category[0].rpartition("/")[2] if product.category else ""
    parts = [product.title, *product.color, leaf, product.brand or ""]
    for name in fields:
        value = product.attributes.get(name)
        parts += value if isinstance(value, tuple) else [str(value or "")]
    return ", ".join(dict.fromkeys(part for part in parts if part))


def embedded_fields(mapping: Mapping[str, Any]) -> tuple[str, ...]:
    """The further fields that belong to a product's text, as a catalogue's mapping says."""
    fields = mapping.get("fields", {})
    return tuple(name for name, column in fields.items() if column.get("embed"))
