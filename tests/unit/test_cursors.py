"""Cursors: they survive the way through a browser, and nothing else is taken for one."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import numpy as np
import pytest

from vitrine.cursors import Cursor, query_digest
from vitrine.errors import InvalidCursor
from vitrine.index import PageToken
from vitrine.queries import SearchQuery, Sort, WeightedText
from vitrine.signing import SIGNATURE_BYTES, Signer

SIGNER = Signer.random()
QUERY = SearchQuery(texts=(WeightedText("red dress"),), limit=5)


def _cursor(dimension: int = 512) -> Cursor:
    vector = np.random.default_rng(3).standard_normal(dimension).astype(np.float32)
    vector /= np.linalg.norm(vector)
    return Cursor(
        "20260101T000000Z-clip",
        query_digest(QUERY),
        PageToken(17, (0.25, "b"), ("Älpha", "a\nb"), 87),
        vector,
    )


def test_a_cursor_comes_back_as_it_went_with_the_vector_to_the_last_bit():
    sent = _cursor()
    back = Cursor.decode(sent.encode(SIGNER), QUERY, SIGNER)
    assert (back.version, back.token) == (sent.version, sent.token)
    assert np.array_equal(back.vector, sent.vector)


def test_a_cursor_of_a_512_dimensional_model_fits_a_request_line():
    assert len(_cursor().encode(SIGNER)) < 4000


def test_how_results_are_shown_does_not_change_the_query():
    assert query_digest(QUERY) == query_digest(
        replace(QUERY, limit=24, facets=("color",), explain=True)
    )


@pytest.mark.parametrize(
    "other",
    [
        replace(QUERY, texts=(WeightedText("blue dress"),)),
        replace(QUERY, sort=Sort("price")),
        replace(QUERY, candidates=5),
        SearchQuery(),
    ],
)
def test_a_cursor_of_another_query_is_refused(other: SearchQuery):
    with pytest.raises(InvalidCursor, match="another query"):
        Cursor.decode(_cursor().encode(SIGNER), other, SIGNER)


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "AAAA",
        "é",
        "null",
        "A" * 100_000,
        base64.urlsafe_b64encode(b'{"v":1}').decode(),
        base64.urlsafe_b64encode(b"[]\n").decode(),
    ],
)
def test_a_damaged_cursor_is_refused(text: str):
    with pytest.raises(InvalidCursor, match="damaged"):
        Cursor.decode(text, QUERY, SIGNER)


def test_a_cut_cursor_is_refused():
    whole = _cursor().encode(SIGNER)
    rng = np.random.default_rng(5)
    for cut in rng.integers(1, len(whole) - 1, 50):
        with pytest.raises(InvalidCursor, match="damaged"):
            Cursor.decode(whole[: int(cut)], QUERY, SIGNER)


FORGED = [
    {"a": []},
    {"a": [None]},
    {"f": []},
    {"f": [0.1]},
    {"s": float("inf")},
    {"t": float("inf")},
    {"f": [10**400, "x"]},
    {"t": -5},
    {"t": 10**30},
    {"a": ["text", "x"]},
    {"v": 7},
]


@pytest.mark.parametrize("changed", FORGED)
def test_a_cursor_that_somebody_has_made_is_refused(changed: dict):
    data = base64.urlsafe_b64decode(_cursor().encode(SIGNER) + "==")[SIGNATURE_BYTES:]
    head, _, tail = data.partition(b"\n")
    forged = json.dumps({**json.loads(head), **changed}).encode() + b"\n" + tail
    for signature in (b"", b"\0" * SIGNATURE_BYTES, Signer.random().sign(forged)):
        text = base64.urlsafe_b64encode(signature + forged).decode().rstrip("=")
        with pytest.raises(InvalidCursor, match="damaged"):
            Cursor.decode(text, QUERY, SIGNER)


def test_a_cursor_without_its_vector_or_of_deep_json_is_refused():
    data = base64.urlsafe_b64decode(_cursor().encode(SIGNER) + "==")
    for forged in (data.partition(b"\n")[0] + b"\n", b"\0" * SIGNATURE_BYTES + b"[" * 40_000):
        with pytest.raises(InvalidCursor, match="damaged"):
            Cursor.decode(base64.urlsafe_b64encode(forged).decode(), QUERY, SIGNER)
