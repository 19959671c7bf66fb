"""The record of truth: products, vectors and the number of the write that made each, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from vitrine.errors import IndexUnavailable
from vitrine.index.faiss.records.changes import (
    KEY_SEPARATOR,
    RecordView,
    stored_keys,
    vectors_from_blob,
)
from vitrine.index.ports import Stamp
from vitrine.index.product_json import product_from_json, product_hash, product_to_json
from vitrine.products import Product, Record, Vector
from vitrine.storage.sqlite import DatabaseSchema, SQLiteFile

__all__ = ["RecordStore"]

# A row is the last thing written of an id. seq counts writes and never repeats, so "what is new
# since seq" is one range of the table; a deleted product leaves its id with empty columns, so that
# other processes learn of it. All pictures of a product are in its row, so none is ever written
# without the others: image_key holds their keys, one a line, vector their rows one after the other.
# Of rows with 512 numbers a page of 8 KiB holds three, one of 4 KiB, the default, one.
_TABLES = """
CREATE TABLE products (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, image_key TEXT, product_hash TEXT,
    product BLOB, vector BLOB, text_vector BLOB
);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('seq', 0), ('products', 0);
"""
# Version 1 kept one picture and no text vector. A column more rewrites nothing, and a process of
# the release before goes on working with the file.
_MIGRATIONS = {1: "ALTER TABLE products ADD COLUMN text_vector BLOB;"}
SCHEMA = DatabaseSchema(_TABLES, version=2, migrations=_MIGRATIONS, page_size=8192)
_RECORD = "product, image_key, vector, text_vector"
_IDS_PER_STATEMENT = 500
"""SQLite allows 32,766 parameters."""


class RecordStore:
    """Reads and writes the records of one version; for several threads and processes."""

    def __init__(self, path: Path, *, dimension: int, timeout_s: float) -> None:
        self._dimension = dimension
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

    def upsert(self, records: Sequence[Record]) -> None:
        """Insert or replace, in one transaction."""
        rows = [
            _stored(
                r.product, KEY_SEPARATOR.join(r.image_keys), _blob(r.vectors), _blob(r.text_vector)
            )
            for r in records
        ]
        with self.database.writing() as connection:
            _write(connection, rows)

    def replace_products(self, products: Sequence[Product]) -> list[str]:
        """Give known products new fields.

        Returns the unknown ids, and writes nothing when there are any.
        """
        with self.database.writing() as connection:
            ids = [product.id for product in products]
            rows = _select(connection, "id, image_key, vector, text_vector", ids)
            stored = {product_id: tuple(others) for product_id, *others in rows}
            unknown = [product_id for product_id in ids if product_id not in stored]
            if not unknown:
                _write(connection, [_stored(p, *stored[p.id]) for p in products])
        return unknown

    def update(self, product_id: str, change: Callable[[Product], Product]) -> bool:
        """Replace one product by what `change` makes of it, with no write in between.

        False for an unknown id.
        """
        with self.database.writing() as connection:
            columns = "product, image_key, vector, text_vector"
            for product, *others in _select(connection, columns, [product_id]):
                _write(connection, [_stored(change(product_from_json(product)), *others)])
                return True
        return False

    def delete(self, ids: Sequence[str]) -> int:
        """Remove products; returns how many there were."""
        with self.database.writing() as connection:
            known = [row["id"] for row in _select(connection, "id", ids)]
            _write(connection, [(product_id, *[None] * 5) for product_id in known])
        return len(known)

    def get(self, ids: Sequence[str]) -> dict[str, Record]:
        """The records of the ids that exist."""
        with self.database.reading() as connection:
            rows = _select(connection, _RECORD, ids)
            records = [self._record(*row) for row in rows]
        return {record.product.id: record for record in records}

    def stamps(self, ids: Sequence[str]) -> dict[str, Stamp]:
        """The stamps of the ids that exist."""
        with self.database.reading() as connection:
            rows = _select(connection, "id, image_key, product_hash", ids)
            return {
                product_id: Stamp(stored_keys(keys), digest) for product_id, keys, digest in rows
            }

    def products_written(self, seqs: Sequence[int]) -> dict[int, tuple[Product, tuple[str, ...]]]:
        """Product and image keys by write number, as `RecordView` has them."""
        with self.view() as records:
            return records.products_written(seqs)

    def scan(self, *, after: str | None, upto: str | None, batch: int) -> Iterator[list[Record]]:
        """All records by id, in batches, each its own view of the file."""
        last = after
        while True:
            with self.database.reading() as connection:
                rows = connection.execute(
                    f"SELECT {_RECORD} FROM products"  # noqa: S608  # only our own columns
                    " WHERE product IS NOT NULL AND (?1 IS NULL OR id > ?1)"
                    " AND (?2 IS NULL OR id <= ?2) ORDER BY id LIMIT ?3",
                    (last, upto, batch),
                ).fetchall()
            if not rows:
                return
            records = [self._record(*row) for row in rows]
            last = records[-1].product.id
            yield records

    def scan_ids(self, *, after: str | None, batch: int) -> Iterator[list[str]]:
        """All ids in order, in batches."""
        last = after
        while True:
            with self.database.reading() as connection:
                rows = connection.execute(
                    "SELECT id FROM products"
                    " WHERE product IS NOT NULL AND (?1 IS NULL OR id > ?1) ORDER BY id LIMIT ?2",
                    (last, batch),
                ).fetchall()
            if not rows:
                return
            ids = [str(row[0]) for row in rows]
            last = ids[-1]
            yield ids

    def last_write(self) -> int:
        """The number of the last write."""
        statement = "SELECT value FROM counters WHERE name = 'seq'"
        with self.database.reading() as connection:
            return int(connection.execute(statement).fetchone()[0])

    def count_written(self, seq: int) -> int:
        """How many products' last write has a higher number."""
        statement = "SELECT count(*) FROM products WHERE seq > ? AND product IS NOT NULL"
        with self.database.reading() as connection:
            return int(connection.execute(statement, (seq,)).fetchone()[0])

    def written_since(self, seq: int, *, batch: int) -> Iterator[list[Record]]:
        """The records whose last write has a higher number, in batches in the order of writes."""
        while True:
            with self.database.reading() as connection:
                rows = connection.execute(
                    f"SELECT seq, {_RECORD} FROM products"  # noqa: S608  # only our own columns
                    " WHERE seq > ? AND product IS NOT NULL ORDER BY seq LIMIT ?",
                    (seq, batch),
                ).fetchall()
            if not rows:
                return
            yield [self._record(*row[1:]) for row in rows]
            seq = rows[-1][0]

    def count(self) -> int:
        """How many products there are."""
        statement = "SELECT value FROM counters WHERE name = 'products'"
        with self.database.reading() as connection:
            return int(connection.execute(statement).fetchone()[0])

    def version(self) -> tuple[int, int]:
        """A value that changes whenever anyone has committed; microseconds."""
        return self.database.data_version()

    @contextmanager
    def view(self) -> Iterator[RecordView]:
        """The writes of one moment; what is written meanwhile is not seen."""
        with self.database.reading() as connection:
            yield RecordView(connection, dimension=self._dimension)

    def close(self) -> None:
        """Close the file."""
        self.database.close()

    def _record(
        self, product: bytes, image_key: str, vector: bytes, text_vector: bytes | None
    ) -> Record:
        text = None if text_vector is None else vectors_from_blob(text_vector, self._dimension)[0]
        vectors = vectors_from_blob(vector, self._dimension)
        return Record(product_from_json(product), vectors, stored_keys(image_key), text)


def _write(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write rows as `_stored` makes them; of equal ids the last."""
    last = {row[0]: row for row in rows}
    (seq,) = connection.execute("SELECT value FROM counters WHERE name = 'seq'").fetchone()
    before = sum(1 for _ in _select(connection, "id", list(last)))
    after = sum(row[1] is not None for row in last.values())
    connection.executemany(
        "INSERT OR REPLACE INTO products"
        " (seq, id, product, product_hash, image_key, vector, text_vector)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(seq + i, *row) for i, row in enumerate(last.values(), 1)],
    )
    connection.executemany(
        "UPDATE counters SET value = value + ? WHERE name = ?",
        [(len(last), "seq"), (after - before, "products")],
    )


def _select(
    connection: sqlite3.Connection, columns: str, ids: Sequence[str]
) -> Iterator[sqlite3.Row]:
    unique = list(dict.fromkeys(ids))
    for start in range(0, len(unique), _IDS_PER_STATEMENT):
        some = unique[start : start + _IDS_PER_STATEMENT]
        marks = ",".join("?" * len(some))
        where = f"id IN ({marks}) AND product IS NOT NULL"
        statement = f"SELECT {columns} FROM products WHERE {where}"  # noqa: S608  # only marks
        yield from connection.execute(statement, some)


def _stored(
    product: Product, image_key: str, vector: bytes | None, text_vector: bytes | None
) -> tuple[Any, ...]:
    digest = product_hash(product)
    return (product.id, product_to_json(product), digest, image_key, vector, text_vector)


def _blob(vectors: Vector | None) -> bytes | None:
    return None if vectors is None else np.ascontiguousarray(vectors, "<f4").tobytes()
