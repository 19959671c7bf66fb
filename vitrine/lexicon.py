"""What parses the words of a version's queries, prepared once for each search model."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from vitrine.fields.columns import label_of
from vitrine.index import VectorIndex
from vitrine.index.fusion import SearchModel, language_of, understood_fields
from vitrine.understanding import QueryReader, grammar_of
from vitrine.words import Analyzer, Vocabulary, analyzer_of, unknown_terms
from vitrine.words.suggestions import Suggester

__all__ = ["Lexicon", "Lexicons"]

_MOST = 3
"""Lexicons kept: of the live version, of the one before it, and of one that cursors still name."""


@dataclass(frozen=True, eq=False)
class Lexicon:
    """A version's search model with its analyzer and the reader of its queries.

    `vocabulary` is the model's, for one query also with terms of products written since.
    """

    model: SearchModel
    analyzer: Analyzer
    reader: QueryReader
    vocabulary: Vocabulary

    def with_newer_words(self, texts: Iterable[str], index: VectorIndex) -> Lexicon:
        """The lexicon for a query of these texts, knowing their words that only products have
        which were written after the learning."""
        unknown = unknown_terms(texts, self.vocabulary, self.analyzer)
        return self.with_terms(index.terms_in_use(unknown)) if unknown else self

    def with_terms(self, newer: Iterable[int]) -> Lexicon:
        """The lexicon that knows these term ids as well."""
        terms = frozenset(newer)
        return replace(self, vocabulary=self.vocabulary.with_newer(terms)) if terms else self

    @cached_property
    def suggester(self) -> Suggester:
        """Completes words while they are typed; prepared at first use."""
        return Suggester(self.model.phrases, self.analyzer)


class Lexicons:
    """The newest lexicons; safe to use from several threads."""

    def __init__(self) -> None:
        self._ready: dict[tuple[str, str], Lexicon] = {}
        self._lock = threading.Lock()

    def of(self, index: VectorIndex) -> Lexicon | None:
        """The lexicon of a version; None where it has learned no words."""
        model = index.search_model
        if model is None:
            return None
        key = (index.info.name, model.key)
        lexicon = self._ready.get(key)
        if lexicon is not None:
            return lexicon
        with self._lock:
            if key not in self._ready:
                while len(self._ready) >= _MOST:
                    del self._ready[next(iter(self._ready))]
                self._ready[key] = _made(index, model)
            return self._ready[key]


def _made(index: VectorIndex, model: SearchModel) -> Lexicon:
    mapping = index.info.mapping
    code = language_of(mapping)
    analyzer = analyzer_of(code)
    reader = QueryReader(
        index.info.schema,
        grammar=grammar_of(code),
        analyzer=analyzer,
        vocabulary=model.vocabulary,
        known=model.values,
        understood={name: label_of(name, mapping) for name in understood_fields(mapping)},
    )
    model.vocabulary.compounds_of("", analyzer)  # prepared here: no query is to wait for them
    return Lexicon(model, analyzer, reader, model.vocabulary)
