"""What was written, in the order of the writes: what the derived parts follow."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrine.index.product_json import product_from_json
from vitrine.products import Product, Vector

__all__ = ["KEY_SEPARATOR", "Change", "RecordView", "stored_keys", "vectors_from_blob"]

KEY_SEPARATOR = "\n"
"""Between the image keys of one product."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """The last write of one id: its number, and the product with its vectors.

    None where deleted.
    """

    seq: int
    id: str
    product: Product | None
    vectors: NDArray[np.float32] | None
    text_vector: Vector | None = None


class RecordView:
    """One consistent view of all writes.

    Taken from a single transaction: a product replaced between two statements has left the place
    where the second would look for it, and would be missed.
    """

    def __init__(self, connection: sqlite3.Connection, *, dimension: int) -> None:
        self._connection = connection
        self._dimension = dimension

    def last_seq(self) -> int:
        """The number of the last committed write."""
        statement = "SELECT value FROM counters WHERE name = 'seq'"
        return int(self._connection.execute(statement).fetchone()[0])

    def changes(self, *, since: int, batch: int = 5000) -> Iterator[list[Change]]:
        """The writes numbered above `since` that are the last of their id, in order."""
        rows = self._connection.execute(
            "SELECT seq, id, product, vector, text_vector FROM products WHERE seq > ? ORDER BY seq",
            (since,),
        )
        while some := rows.fetchmany(batch):
            yield [self._change(*row) for row in some]

    def products_written(self, seqs: Sequence[int]) -> dict[int, tuple[Product, tuple[str, ...]]]:
        """Product and image keys by write number, of writes that are the last of their product."""
        marks = ",".join("?" * len(seqs))
        columns, where = "seq, product, image_key", f"seq IN ({marks}) AND product IS NOT NULL"
        statement = f"SELECT {columns} FROM products WHERE {where}"  # noqa: S608  # only marks
        rows = self._connection.execute(statement, seqs)
        return {seq: (product_from_json(text), stored_keys(keys)) for seq, text, keys in rows}

    def _change(
        self, seq: int, product_id: str, product: bytes | None, *blobs: bytes | None
    ) -> Change:
        vectors, text_vector = blobs
        if product is None or vectors is None:
            return Change(seq, product_id, None, None)
        rows = vectors_from_blob(vectors, self._dimension)
        text = None if text_vector is None else vectors_from_blob(text_vector, self._dimension)[0]
        return Change(seq, product_id, product_from_json(product), rows, text)


def vectors_from_blob(blob: bytes, dimension: int) -> NDArray[np.float32]:
    """The rows (n, dimension) whose little-endian numbers are stored in the blob."""
    return np.frombuffer(blob, "<f4").astype(np.float32).reshape(-1, dimension)


def stored_keys(stored: str) -> tuple[str, ...]:
    """The image keys of a product as they are stored."""
    return tuple(stored.split(KEY_SEPARATOR))
