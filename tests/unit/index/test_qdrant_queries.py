"""Searches as Qdrant's client takes them."""

from __future__ import annotations

import numpy as np
import pytest
from qdrant_client import models

from vitrine.index.qdrant.point import WORDS, SparseRow
from vitrine.index.qdrant.queries import NearestQuery, QueryTranslator
from vitrine.index.qdrant.vectors import VectorLayout
from vitrine.settings import QdrantSettings

WORDS_ROW = SparseRow(np.array([7], np.uint32), np.array([1.0], np.float32))
MATCHING = NearestQuery(WORDS_ROW, None, limit=1000, using=WORDS)
COMPLETE_LISTS = [
    MATCHING,
    NearestQuery(None, None, limit=1000),
    NearestQuery(None, None, limit=1000, order=models.OrderBy(key="_id0"), among=MATCHING),
    NearestQuery(np.ones(4, np.float32), None, limit=1000, exact=True),
]


def translator(*, local: bool = False, grpc: bool = True) -> QueryTranslator:
    return QueryTranslator(VectorLayout(True, False), QdrantSettings(), local=local, grpc=grpc)


@pytest.mark.parametrize("query", COMPLETE_LISTS)
def test_each_of_several_shards_is_asked_for_the_whole_of_a_list_that_needs_no_graph(
    query: NearestQuery,
):
    """Else Qdrant asks it for its share and some more, and the list may lack what lies beyond."""
    assert translator().arguments(query)["search_params"].exact
    assert translator(grpc=False).request(query).params.exact


def test_the_graph_is_searched_where_a_query_allows_it():
    arguments = translator().arguments(NearestQuery(np.ones(4, np.float32), None, limit=1000))
    assert not arguments["search_params"].exact
    assert arguments["search_params"].hnsw_ef == QdrantSettings().qdrant_hnsw_ef


def test_local_mode_gets_no_parameters_which_it_would_warn_of():
    assert translator(local=True).arguments(MATCHING)["search_params"] is None
