"""Text vectors of products: made where a version keeps them, and only when a text has changed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from vitrine.embedding import Embedder
from vitrine.embedding.many_texts import embed_many_texts
from vitrine.errors import NotFound
from vitrine.fields.colors import ColorWords
from vitrine.index import VectorIndex
from vitrine.index.patching import patched
from vitrine.products import Product, Record, Value, Vector, record_batches
from vitrine.words import embedded_fields, product_text

__all__ = ["TextVectors", "has_same_texts"]


class TextVectors:
    """Writes products so that each has the vector of its present text, where a version keeps one.

    `embedder` is asked for when there is something to embed. `reuse_from` is another version, whose
    vectors serve for equal texts where the model is the same.
    """

    def __init__(
        self,
        index: VectorIndex,
        embedder: Callable[[], Embedder],
        *,
        reuse_from: VectorIndex | None = None,
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._fields = embedded_fields(index.info.mapping)
        self._versions = [index]
        if reuse_from is not None and has_same_texts(reuse_from, index):
            self._versions.append(reuse_from)

    @property
    def enabled(self) -> bool:
        """Whether the version keeps text vectors."""
        return self._index.info.text_vectors

    def complete(self, records: Sequence[Record]) -> list[Record]:
        """The records, each with a text vector: its own, the stored one of an equal text, or a new
        one. Without any where the version keeps none."""
        if not self.enabled:
            return [replace(record, text_vector=None) for record in records]
        texts = {r.product.id: self.text(r.product) for r in records if r.text_vector is None}
        stored = self.stored(texts)
        wanting = list(dict.fromkeys(text for i, text in texts.items() if i not in stored))
        rows: Sequence[Vector] = []
        if wanting:
            rows = list(embed_many_texts(self._embedder(), wanting))
        embedded = dict(zip(wanting, rows, strict=True))
        return [
            record
            if record.text_vector is not None
            else replace(record, text_vector=self._vector(record, stored, embedded))
            for record in records
        ]

    def patch_products(self, products: Sequence[Product]) -> None:
        """As `VectorIndex.patch_products`; a product whose text changes gets a new text vector."""
        if not self.enabled:
            self._index.patch_products(products)
            return
        stored = self._index.get([product.id for product in products])
        unknown = [product.id for product in products if product.id not in stored]
        if unknown:
            raise NotFound(f"there are no products {', '.join(map(repr, unknown))}")
        same, changed = [], []
        for product in products:
            record = stored[product.id]
            if self.text(product) == self.text(record.product):
                same.append(product)
            else:
                changed.append(replace(record, product=product, text_vector=None))
        if same:
            self._index.patch_products(same)
        for batch in record_batches(self.complete(changed), most=len(changed)):
            self._index.upsert(batch)

    def patch(self, product_id: str, changes: Mapping[str, Value | None]) -> None:
        """As `VectorIndex.patch`; a product whose text changes gets a new text vector."""
        if self.enabled:
            record = self._index.get([product_id]).get(product_id)
            if record is None:
                raise NotFound(f"there is no product {product_id!r}")
            info = self._index.info
            words = ColorWords.of_mapping(info.mapping)
            product = patched(record.product, changes, info.schema, color_words=words)
            if self.text(product) != self.text(record.product):
                fresh = replace(record, product=product, text_vector=None)
                self._index.upsert(self.complete([fresh]))
                return
        self._index.patch(product_id, changes)

    def text(self, product: Product) -> str:
        """What is embedded of a product's words."""
        return product_text(product, self._fields)

    def stored(self, texts: Mapping[str, str], *, new: Collection[str] = ()) -> dict[str, Vector]:
        """Text vectors that a version has for these very texts, by product id as `texts` are.

        The version that is written is not asked for `new` products, which it lacks.
        """
        stored: dict[str, Vector] = {}
        for index in self._versions:
            skipped = new if index is self._index else stored
            read = [product_id for product_id in texts if product_id not in skipped]
            for product_id, record in index.get(read).items() if read else ():
                vector = record.text_vector
                if vector is not None and self.text(record.product) == texts[product_id]:
                    stored[product_id] = vector
        return stored

    def _vector(
        self, record: Record, stored: Mapping[str, Vector], embedded: Mapping[str, Vector]
    ) -> Vector:
        known = stored.get(record.product.id)
        return embedded[self.text(record.product)] if known is None else known


def has_same_texts(source: VectorIndex, target: VectorIndex) -> bool:
    """Whether text vectors of one version serve the other: same model, same fields in the text."""
    here, there = source.info, target.info
    return (
        here.fingerprint == there.fingerprint
        and here.text_vectors
        and embedded_fields(here.mapping) == embedded_fields(there.mapping)
    )
