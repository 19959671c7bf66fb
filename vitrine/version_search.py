"""Searching one opened version: a query becomes one vector, the index answers with one set of
candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from time import perf_counter

from PIL.Image import Image

from vitrine.cursors import Cursor, query_digest
from vitrine.embedding import Embedder
from vitrine.errors import FieldError, InvalidCursor, InvalidInput, InvalidQuery, NotFound
from vitrine.explaining import explained
from vitrine.fields.schema import Schema
from vitrine.filter_notes import unknown_values
from vitrine.filters import All, Filter, parse_filter
from vitrine.index import IndexAnswer, IndexQuery, VectorIndex
from vitrine.lexicon import Lexicon, Lexicons
from vitrine.products import Record, Vector
from vitrine.queries import SearchQuery, WeightedImage
from vitrine.query_plan import (
    QueryPlan,
    WeightedVector,
    example_parts,
    fused_plan,
    understand,
    vector_plan,
    weighted_texts,
    with_understood,
)
from vitrine.results import FacetValue, Note, Page, Plan, ValueFacet
from vitrine.serving import Serving
from vitrine.settings import LimitSettings
from vitrine.signing import Signer
from vitrine.understanding import Understanding
from vitrine.words import fold
from vitrine.words.suggestions import Suggestion

__all__ = ["VersionSearch"]

Records = Mapping[str, Record]

NOT_LEARNT = Note(
    "words_not_learned",
    "ranked by pictures alone: this version has learned no words (`vitrine learn` does it)",
)
NO_WORDS = Note(
    "words_not_kept",
    "ranked by pictures alone: this version keeps no words because an earlier release made it"
    " (`vitrine reindex` makes one that does)",
)
MAX_FACET_SEARCH = 10_000
"""Values of a field that are looked through for a part of one."""


class VersionSearch:
    """One index version with its model, for the duration of one request."""

    def __init__(
        self,
        serving: Serving,
        settings: LimitSettings,
        signer: Signer,
        lexicons: Lexicons,
    ) -> None:
        self._serving = serving
        self._lexicons = lexicons
        self._settings = settings
        self._signer = signer
        self._texts: dict[str, Vector] = {}
        """Vectors of texts that were embedded together."""

    @property
    def schema(self) -> Schema:
        """The fields of this version's catalogue."""
        return self.index.info.schema

    @property
    def index(self) -> VectorIndex:
        """The version itself."""
        return self._serving.index

    @property
    def embedder(self) -> Embedder:
        """The model that made the version's vectors."""
        return self._serving.embedder

    def search(self, query: SearchQuery) -> Page:
        """One page of what the query asks for.

        Raises `InvalidQuery`, `InvalidFilter` or `InvalidCursor` for what the caller can fix, and
        what `VectorIndex.search` and `Embedder.embed_texts` raise.
        """
        return self._search(query, {})

    def search_images(self, images: Sequence[Image], query: SearchQuery) -> list[Page]:
        """For each image the products that look like it, all images embedded together.

        `query` brings filter, sort and limit only.
        """
        if not query.browses or query.cursor:
            raise InvalidQuery.of(
                "query", "brings filter, limit and sort only; the pictures are what is searched for"
            )
        self._check_limits(query)
        started = perf_counter()
        vectors = self.embedder.embed_images(images)
        embed_ms = (perf_counter() - started) * 1e3 / max(len(images), 1)
        pages = []
        for image, vector in zip(images, vectors, strict=True):
            started = perf_counter()
            plan = QueryPlan(vector, query.filter)
            answer = self.index.search(self._index_query(query, plan, None))
            search_ms = (perf_counter() - started) * 1e3
            timings = {"embed": embed_ms, "search": search_ms, "total": embed_ms + search_ms}
            pages.append(self._page(replace(query, image=image), plan, answer, timings))
        return pages

    def search_batch(self, queries: Sequence[SearchQuery]) -> list[Page]:
        """One page for each query, the texts of all embedded together.

        An error names the query as `searches[n]`, n from 0, before the field.
        """
        texts = list(dict.fromkeys(t.text for query in queries for t in query.texts))
        for number, query in enumerate(queries):
            with InvalidInput.within(f"searches[{number}]"):
                self._check_limits(query)
        if texts:
            self._texts = dict(zip(texts, self.embedder.embed_texts(texts), strict=True))
        pages = []
        for number, query in enumerate(queries):
            with InvalidInput.within(f"searches[{number}]"):
                pages.append(self.search(query))
        return pages

    def facet_values(
        self, field: str, part: str, filter: Filter, *, limit: int
    ) -> tuple[list[FacetValue], bool]:
        """The values of a field that contain `part` (folded), the most frequent first.

        Also whether there are more of them. `InvalidQuery` for a field that is not counted by
        value; `MAX_FACET_SEARCH` values are looked through.
        """
        facet = self.index.facet([field], filter, values=MAX_FACET_SEARCH)[field]
        if not isinstance(facet, ValueFacet):
            raise InvalidQuery.of("field", f"{field!r} is counted by ranges, not by values")
        folded = fold(part)
        matching = [value for value in facet.values if folded in fold(str(value.value))]
        return matching[:limit], len(matching) > limit or facet.distinct > MAX_FACET_SEARCH

    def suggest(self, typed: str, *, limit: int) -> Sequence[Suggestion]:
        """What completes the typed words, at most `limit`; nothing where no words were learned."""
        lexicon = self._lexicons.of(self.index)
        return () if lexicon is None else lexicon.suggester.complete(typed, limit=limit)

    def similar(self, product_id: str, query: SearchQuery) -> Page:
        """The products that look like one product, never itself; `NotFound` for an unknown id.

        `query` brings filter, limit and sort. The product's own group, its sizes and colors, is
        left out but with `own_group`. Ranked by the vector where nothing else is said: what looks
        most like it is listed however far that is.
        """
        record = self.product(product_id)
        condition = query.filter
        group = record.product.group_id
        if group is not None and not query.own_group:
            other_groups = parse_filter({"not": {"group_id": group}}, self.schema)
            condition = All((condition, other_groups))
        ranking = "vector" if query.ranking == "auto" else query.ranking
        example = replace(
            query, like=(product_id,), exclude=(product_id,), filter=condition, ranking=ranking
        )
        return self._search(example, {product_id: record})

    def product(self, product_id: str) -> Record:
        """The record of one product; `NotFound` for an unknown id."""
        records = self.index.get([product_id])
        if product_id not in records:
            raise NotFound(f"there is no product {product_id!r}")
        return records[product_id]

    def _search(self, query: SearchQuery, records: Records) -> Page:
        started = perf_counter()
        self._check_limits(query)
        cursor = Cursor.decode(query.cursor, query, self._signer) if query.cursor else None
        plan = self._plan(query, records, cursor)
        embedded = perf_counter()
        answer = self.index.search(self._index_query(query, plan, cursor))
        if query.explain and plan.parts:
            answer = replace(answer, hits=explained(answer, plan, self.index))
        finished = perf_counter()
        facets_ms = answer.timings_ms.get("facets", 0.0)
        timings = {
            "embed": (embedded - started) * 1e3,
            "search": (finished - embedded) * 1e3 - facets_ms,
            "facets": facets_ms,
            "total": (finished - started) * 1e3,
        }
        return self._page(query, plan, answer, timings)

    def _plan(self, query: SearchQuery, records: Records, cursor: Cursor | None) -> QueryPlan:
        lexicon = self._lexicon(query)
        model = None if lexicon is None else lexicon.model.key
        if cursor is not None and cursor.model != model:
            raise InvalidCursor.of(
                "cursor",
                "has expired because the version has learned again; leave it out for page one",
            )
        if cursor is not None:
            self._check_vector(cursor)
        if lexicon is None:
            return self._vector_plan(query, records, cursor)
        return self._fused_plan(query, records, lexicon, cursor)

    def _check_vector(self, cursor: Cursor) -> None:
        if cursor.vector is not None and cursor.vector.shape != (self.index.info.dimension,):
            raise InvalidCursor.of("cursor", "is damaged; its vector does not fit the index")

    def _lexicon(self, query: SearchQuery) -> Lexicon | None:
        """What reads the query's words; None where it is ranked by its vector, or browses."""
        if query.browses or query.ranking == "vector" or query.min_score is not None:
            return None
        lexicon = self._lexicons.of(self.index)
        if lexicon is None and query.ranking == "words":
            raise InvalidQuery.of(
                "ranking", "by words is not possible: this version has learned no words yet"
            )
        return lexicon

    def _vector_plan(
        self, query: SearchQuery, records: Records, cursor: Cursor | None
    ) -> QueryPlan:
        if cursor is not None and not query.explain:
            plan = QueryPlan(cursor.vector, query.filter)
        else:
            plan = vector_plan(query, self._parts(query, records, None, None))
        if cursor is not None:
            plan = replace(plan, vector=cursor.vector)
        if query.browses or query.ranking == "vector" or query.min_score is not None:
            return plan
        return replace(plan, notes=(NOT_LEARNT if self.index.info.words else NO_WORDS,))

    def _fused_plan(
        self, query: SearchQuery, records: Records, lexicon: Lexicon, cursor: Cursor | None
    ) -> QueryPlan:
        if cursor is None:
            lexicon = lexicon.with_newer_words((t.text for t in query.texts), self.index)
        else:
            lexicon = lexicon.with_terms(cursor.newer_terms)
        understanding = understand(query, lexicon)
        parts = self._parts(query, records, understanding, cursor)
        if not any(part.weight > 0 for part in parts):
            plan = vector_plan(query, parts)
            return with_understood(plan, understanding, self.schema)
        plan = fused_plan(query, parts, lexicon, understanding=understanding, schema=self.schema)
        return plan if cursor is None else replace(plan, vector=cursor.vector)

    def _parts(
        self,
        query: SearchQuery,
        records: Records,
        understanding: Understanding | None,
        cursor: Cursor | None,
    ) -> list[WeightedVector]:
        """The embedded parts; the positive ones of a further page are in its cursor already."""
        first = None if query.explain or cursor is None else cursor.vector
        texts, pictures = weighted_texts(query, understanding), query.pictures
        if first is not None:
            texts = [(text, weight) for text, weight in texts if weight < 0]
            pictures = tuple(picture for picture in pictures if picture.weight < 0)
        parts = [*self._text_parts(texts), *self._picture_parts(pictures, query.image_weight)]
        if query.like or query.unlike:
            parts += example_parts(query, records or self.index.get([*query.like, *query.unlike]))
        if first is None:
            return parts
        words_alone = not query.pictures and not query.like
        page_one = WeightedVector("page one", 1.0, first, is_text=words_alone)
        return [*(part for part in parts if part.weight < 0), page_one]

    def _text_parts(self, texts: Sequence[tuple[str, float]]) -> list[WeightedVector]:
        if not texts:
            return []
        rows = self._embedded([text for text, _ in texts])
        return [
            WeightedVector(f"text: {text}", weight, row, is_text=True)
            for (text, weight), row in zip(texts, rows, strict=True)
        ]

    def _picture_parts(
        self, pictures: Sequence[WeightedImage], image_weight: float
    ) -> list[WeightedVector]:
        if not pictures:
            return []
        rows = self.embedder.embed_images([picture.image for picture in pictures])
        return [
            WeightedVector(_image_name(number), picture.weight * image_weight, row)
            for number, (picture, row) in enumerate(zip(pictures, rows, strict=True))
        ]

    def _embedded(self, texts: Sequence[str]) -> Sequence[Vector]:
        if self._texts.keys() >= set(texts):
            return [self._texts[text] for text in texts]
        return list(self.embedder.embed_texts(texts))

    def _check_limits(self, query: SearchQuery) -> None:
        limits = self._settings
        faults = []
        if query.limit > limits.max_limit:
            faults.append(FieldError("limit", f"must be from 1 to {limits.max_limit}"))
        if query.candidates > limits.max_candidates:
            faults.append(FieldError("candidates", f"must be from 1 to {limits.max_candidates}"))
        if len(query.texts) > limits.max_texts:
            faults.append(FieldError("text", f"has more than {limits.max_texts} parts"))
        if len(query.pictures) > limits.max_pictures:
            faults.append(FieldError("image", f"holds more than {limits.max_pictures} pictures"))
        if any(len(t.text) > limits.max_text_chars for t in query.texts):
            faults.append(FieldError("text", f"is longer than {limits.max_text_chars} characters"))
        if len(query.like) + len(query.unlike) > limits.max_examples:
            faults.append(
                FieldError("like", f"like and unlike name more than {limits.max_examples} products")
            )
        if faults:
            raise InvalidQuery(faults)

    def _index_query(
        self, query: SearchQuery, plan: QueryPlan, cursor: Cursor | None
    ) -> IndexQuery:
        examples = () if query.include_examples else (*query.like, *query.unlike)
        return IndexQuery(
            vector=plan.vector,
            fusion=plan.fusion,
            filter=plan.filter,
            candidates=query.candidates,
            min_score=query.min_score,
            exclude=frozenset((*query.exclude, *examples)),
            sort=query.sort,
            collapse=query.collapse,
            facets=query.facets,
            facet_values=self._settings.facet_values,
            limit=query.limit,
            page_token=cursor.token if cursor else None,
        )

    def _page(
        self,
        query: SearchQuery,
        plan: QueryPlan,
        answer: IndexAnswer,
        timings: Mapping[str, float],
    ) -> Page:
        info = self.index.info
        cursor = None
        if answer.next_token is not None:
            fusion = plan.fusion
            cursor = Cursor(
                info.name,
                query_digest(query),
                answer.next_token,
                plan.vector,
                None if fusion is None else fusion.model,
                frozenset() if fusion is None else fusion.newer_terms,
            ).encode(self._signer)
        truncated = any(self.embedder.truncates(t.text) for t in query.texts)
        return Page(
            hits=answer.hits,
            total=answer.total,
            facets=answer.facets,
            next_cursor=cursor,
            plan=Plan(answer.search, answer.matching, truncated),
            version=info.name,
            model=info.model,
            backend=info.backend,
            beyond=answer.beyond,
            understanding=plan.understanding,
            notes=(*plan.notes, *self._notes_of(query, answer)),
            timings_ms={name: round(ms, 3) for name, ms in timings.items()},
        )

    def _notes_of(self, query: SearchQuery, answer: IndexAnswer) -> tuple[Note, ...]:
        return () if answer.matching else unknown_values(query.filter, self.index)


def _image_name(number: int) -> str:
    return f"image {number + 1}" if number else "image"
