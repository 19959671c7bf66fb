"""One number for how well a product answers a query, the same on every backend.

* `learn_relevance` finds the constants of a version from the version itself, without judgements.
* `QueryRelevance` turns the signals of one query's products into relevance, exactly and explained.

The form is made for exact top-k: for products that match no word the relevance rises with one
linear combination of the two cosines (`QueryRelevance.vector_weights`), so their order is that of a
single vector search; products that match a word come from the word index and get all signals.
"""

from vitrine.relevance.constants import (
    BackgroundSample,
    RelevanceConstants,
    VectorModel,
    WordsModel,
)
from vitrine.relevance.learning import LearningSample, Lexicon, learn_relevance
from vitrine.relevance.log_odds import (
    CLOSE,
    LOG_ODDS_DECIMALS,
    drop,
    least_log_odds,
    pushed_log_odds,
    relevance_of,
)
from vitrine.relevance.query import Explanation, QueryRelevance, Signals, round_best_words

__all__ = [
    "CLOSE",
    "LOG_ODDS_DECIMALS",
    "BackgroundSample",
    "Explanation",
    "LearningSample",
    "Lexicon",
    "QueryRelevance",
    "RelevanceConstants",
    "Signals",
    "VectorModel",
    "WordsModel",
    "drop",
    "learn_relevance",
    "least_log_odds",
    "pushed_log_odds",
    "relevance_of",
    "round_best_words",
]
