"""The record of truth: products, vectors and the number of the write that made each, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrine.errors import IndexUnavailable
from vitrine.index.ports import Stamp
from vitrine.index.product_json import product_from_json, product_to_json
from vitrine.index.stamps import product_hash
from vitrine.products import Product, Record, Vector
from vitrine.storage.sqlite import DatabaseSchema, SQLiteFile

__all__ = ["Change", "RecordStore", "RecordView"]

# A row is the last thing written of an id. seq counts writes and never repeats, so "what is new since seq" is one range
# of the table; a deleted product leaves its id with empty columns, so that other processes learn of it. Of rows with 512
# numbers a page of 8 KiB holds three, one of 4 KiB, the default, one.
_TABLES = """
CREATE TABLE products (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, image_key TEXT, product_hash TEXT, product BLOB, vector BLOB
);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('seq', 0), ('products', 0);
"""
SCHEMA = DatabaseSchema(_TABLES, version=1, page_size=8192)
_PER_QUERY = 500
"""Ids asked for in one statement; SQLite allows 32,766 parameters."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """The last write of one id: its number, and the product with its vector, both None when it was deleted."""

    seq: int
    id: str
    product: Product | None
    vector: Vector | None


class RecordStore:
    """Reads and writes the records of one version; safe to use from several threads and processes."""

    def __init__(self, path: Path, *, timeout_s: float) -> None:
        self.database = SQLiteFile(
            path,
            SCHEMA,
            timeout_s=timeout_s,
            unavailable=IndexUnavailable,
            remedy="publish the previous version, restore a backup, or ingest again",
        )

    def create(self) -> None:
        """Make the file with its empty tables."""
        self.database.create()

    def put(self, records: Sequence[Record]) -> None:
        """Insert or replace, in one transaction."""
        rows = [
            (
                r.product.id,
                r.image_key,
                product_hash(r.product),
                product_to_json(r.product),
                _blob(r.vector),
            )
            for r in records
        ]
        with self.database.writing() as connection:
            self._write(connection, rows)

    def replace_products(self, products: Sequence[Product]) -> list[str]:
        """Give known products new fields; returns the unknown ids, and writes nothing when there are any."""
        with self.database.writing() as connection:
            stored = {
                i: (key, blob)
                for i, key, blob in _select(
                    connection, "id, image_key, vector", [p.id for p in products]
                )
            }
            unknown = [p.id for p in products if p.id not in stored]
            if not unknown:
                rows = [
                    (p.id, stored[p.id][0], product_hash(p), product_to_json(p), stored[p.id][1])
                    for p in products
                ]
                self._write(connection, rows)
        return unknown

    def change(self, product_id: str, change: Callable[[Product], Product]) -> bool:
        """Replace one product by what `change` makes of it, with nothing written in between; False for an unknown id."""
        with self.database.writing() as connection:
            for key, stored, blob in _select(
                connection, "image_key, product, vector", [product_id]
            ):
                product = change(product_from_json(stored))
                self._write(
                    connection,
                    [(product_id, key, product_hash(product), product_to_json(product), blob)],
                )
                return True
        return False

    def delete(self, ids: Sequence[str]) -> int:
        """Remove products; returns how many there were."""
        with self.database.writing() as connection:
            known = [row[0] for row in _select(connection, "id", ids)]
            self._write(connection, [(i, None, None, None, None) for i in known])
        return len(known)

    def _write(self, connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        last = {row[0]: row for row in rows}
        (seq,) = connection.execute("SELECT value FROM counters WHERE name = 'seq'").fetchone()
        before = sum(1 for _ in _select(connection, "id", [str(i) for i in last]))
        after = sum(row[3] is not None for row in last.values())
        connection.executemany(
            "INSERT OR REPLACE INTO products (seq, id, image_key, product_hash, product, vector) VALUES (?, ?, ?, ?, ?, ?)",
            [(seq + i, *row) for i, row in enumerate(last.values(), 1)],
        )
        connection.execute("UPDATE counters SET value = value + ? WHERE name = 'seq'", (len(last),))
        connection.execute(
            "UPDATE counters SET value = value + ? WHERE name = 'products'", (after - before,)
        )

    def get(self, ids: Sequence[str]) -> dict[str, Record]:
        """The records of the ids that exist."""
        with self.database.reading() as connection:
            rows = _select(connection, "id, product, vector, image_key", ids)
            return {
                i: Record(product_from_json(product), _row(vector), key)
                for i, product, vector, key in rows
            }

    def stamps(self, ids: Sequence[str]) -> dict[str, Stamp]:
        """The stamps of the ids that exist."""
        with self.database.reading() as connection:
            return {
                i: Stamp(key, digest)
                for i, key, digest in _select(connection, "id, image_key, product_hash", ids)
            }

    def pictured(self, seqs: Iterable[int]) -> dict[int, tuple[Product, str]]:
        """Product and image key by write number, of the writes that are still the last of their product."""
        marks = ",".join("?" * len(wanted := list(seqs)))
        asked = f"SELECT seq, product, image_key FROM products WHERE seq IN ({marks}) AND product IS NOT NULL"  # noqa: S608  # only marks
        with self.database.reading() as connection:
            rows = connection.execute(asked, wanted)
            return {seq: (product_from_json(product), key) for seq, product, key in rows}

    def scan(self, *, after: str | None, batch: int) -> Iterator[list[Record]]:
        """All records by id, in batches, each its own view of the file."""
        last = after
        while True:
            with self.database.reading() as connection:
                rows = connection.execute(
                    "SELECT id, product, vector, image_key FROM products"
                    " WHERE product IS NOT NULL AND (?1 IS NULL OR id > ?1) ORDER BY id LIMIT ?2",
                    (last, batch),
                ).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            yield [
                Record(product_from_json(product), _row(vector), key)
                for _, product, vector, key in rows
            ]

    def count(self) -> int:
        """How many products there are."""
        with self.database.reading() as connection:
            return int(
                connection.execute("SELECT value FROM counters WHERE name = 'products'").fetchone()[
                    0
                ]
            )

    def version(self) -> tuple[int, int]:
        """A value that changes whenever anyone has committed; microseconds."""
        return self.database.data_version()

    @contextmanager
    def view(self) -> Iterator[RecordView]:
        """The writes of one moment; what is written meanwhile is not seen."""
        with self.database.reading() as connection:
            yield RecordView(connection)

    def close(self) -> None:
        """Close the file."""
        self.database.close()


class RecordView:
    """One consistent view of all writes.

    Taken from a single transaction: a product replaced between two statements has left the place
    where the second would look for it, and would be missed.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def last_seq(self) -> int:
        """The number of the last committed write."""
        statement = "SELECT value FROM counters WHERE name = 'seq'"
        return int(self._connection.execute(statement).fetchone()[0])

    def changes(self, *, since: int, batch: int = 5000) -> Iterator[list[Change]]:
        """The writes numbered above `since` that are the last of their id, in order."""
        rows = self._connection.execute(
            "SELECT seq, id, product, vector FROM products WHERE seq > ? ORDER BY seq", (since,)
        )
        while some := rows.fetchmany(batch):
            yield [
                Change(
                    seq,
                    product_id,
                    None if product is None else product_from_json(product),
                    None if vector is None else _row(vector),
                )
                for seq, product_id, product, vector in some
            ]


def _select(
    connection: sqlite3.Connection, columns: str, ids: Sequence[str]
) -> Iterator[tuple[Any, ...]]:
    unique = list(dict.fromkeys(ids))
    for start in range(0, len(unique), _PER_QUERY):
        asked = unique[start : start + _PER_QUERY]
        marks = ",".join("?" * len(asked))
        yield from connection.execute(
            f"SELECT {columns} FROM products WHERE id IN ({marks}) AND product IS NOT NULL",  # noqa: S608  # only marks
            asked,
        )


def _blob(vector: Vector) -> bytes:
    return np.ascontiguousarray(vector, "<f4").tobytes()


def _row(blob: bytes) -> NDArray[np.float32]:
    return np.frombuffer(blob, "<f4").astype(np.float32)
