"""A product's words as its point keeps them: a sparse vector, and the keys of exact hits."""

from __future__ import annotations

from vitrine.index.fusion import language_of
from vitrine.index.ports import VersionInfo
from vitrine.index.qdrant.point import SparseRow
from vitrine.products import Product
from vitrine.words import DocumentWords, analyzer_of, document_words

__all__ = ["ProductWords", "sparse_row"]


class ProductWords:
    """Cuts the words out of products, as a version's schema and language say."""

    def __init__(self, info: VersionInfo) -> None:
        self._schema = info.schema
        self._analyzer = analyzer_of(language_of(info.mapping))

    def of(self, product: Product) -> DocumentWords:
        """The words of a product; they follow from the product alone."""
        return document_words(product, self._schema, self._analyzer)


def sparse_row(document: DocumentWords) -> SparseRow:
    """The product's side of BM25, as Qdrant keeps it: term ids and their values, without IDF."""
    return SparseRow(document.term_ids, document.values)
