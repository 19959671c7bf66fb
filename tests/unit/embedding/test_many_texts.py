"""More texts than a query has are embedded a few at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fakes import FakeEmbedder
from vitrine.embedding.many_texts import embed_many_texts


def test_many_texts_are_asked_for_in_parts_and_have_the_rows_that_they_have_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    embedder, sizes = FakeEmbedder(), []
    whole = embedder.embed_texts

    def part(texts: Sequence[str]) -> NDArray[np.float32]:
        sizes.append(len(texts))
        return whole(texts)

    monkeypatch.setattr(embedder, "embed_texts", part)
    texts = [f"text {number}" for number in range(70)]
    np.testing.assert_array_equal(embed_many_texts(embedder, texts), whole(texts))
    assert sum(sizes) == len(texts)
    assert max(sizes) <= 32
    assert embed_many_texts(embedder, []).shape == (0, embedder.info.dimension)


def test_texts_of_like_length_go_together(monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = FakeEmbedder()
    whole, lengths = embedder.embed_texts, list[set[int]]()

    def part(texts: Sequence[str]) -> NDArray[np.float32]:
        lengths.append({len(text) for text in texts})
        return whole(texts)

    monkeypatch.setattr(embedder, "embed_texts", part)
    texts = [f"{number:02}" + "?" * (40 * (number % 2)) for number in range(64)]
    np.testing.assert_array_equal(embed_many_texts(embedder, texts), whole(texts))
    assert lengths[:2] == [{2}, {42}]
