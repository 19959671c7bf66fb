"""The words of products and queries: folding, terms, codes, and both sides of BM25.

Nothing here reads or writes an index: values in, values out.

* `fold` is the one comparison form of text, for ingest, filters, words and sorting.
* `document_words` gives what an index stores of a product: sparse values without IDF,
  and exact keys.
* `Vocabulary` holds the document frequencies of one version, which `VocabularyCounts` counts.
* `query_words` gives the query's side: one weight a term and the best score it could reach.
"""

from vitrine.folding import fold
from vitrine.words.analysis import Analyzer, Token, analyzer_of
from vitrine.words.document import (
    DocumentWords,
    document_words,
    embedded_fields,
    product_text,
    saturated,
    term_frequencies,
)
from vitrine.words.exact import exact_key, exact_keys
from vitrine.words.known import is_known, neighbors, unknown_terms, unknown_words
from vitrine.words.postings import Postings, PostingsWriter
from vitrine.words.query import QueryWords, query_words
from vitrine.words.terms import term_id
from vitrine.words.titles import named_words
from vitrine.words.vocabulary import Vocabulary, VocabularyCounts

__all__ = [
    "Analyzer",
    "DocumentWords",
    "Postings",
    "PostingsWriter",
    "QueryWords",
    "Token",
    "Vocabulary",
    "VocabularyCounts",
    "analyzer_of",
    "document_words",
    "embedded_fields",
    "exact_key",
    "exact_keys",
    "fold",
    "is_known",
    "named_words",
    "neighbors",
    "product_text",
    "query_words",
    "saturated",
    "term_frequencies",
    "term_id",
    "unknown_terms",
    "unknown_words",
]
