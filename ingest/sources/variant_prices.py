"""Prices of variants that are not products of their own, for the products that list them.

Magento exports a style that is shown without a price, and its variants as hidden rows with one,
before or after it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from typing import Any

from vitrine.fields import Mapping as CatalogueMapping
from vitrine.fields.paths import value_at
from vitrine.fields.scalars import is_empty

__all__ = ["VariantPrices"]


class VariantPrices:
    """The price of each row by its id, in a temporary table that SQLite keeps on disk when it
    grows: memory does not grow with the catalogue."""

    def __init__(self, mapping: CatalogueMapping, rows: Iterable[Mapping[str, Any]]) -> None:
        self._mapping = mapping
        self._path = mapping.source.prices_of
        self._table = sqlite3.connect("", check_same_thread=False)
        self._table.execute("CREATE TABLE prices (id TEXT PRIMARY KEY, amount REAL, raw TEXT)")
        priced = ((mapping.raw_id(row), mapping.price_of(row)) for row in rows)
        self._table.executemany(
            "INSERT OR IGNORE INTO prices VALUES (?, ?, ?)",
            (
                (_json(id_), price[0], _json(price[1]))
                for id_, price in priced
                if id_ is not None and price is not None
            ),
        )

    def close(self) -> None:
        """Remove the table."""
        self._table.close()

    def filled(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """The row; where it has no price, with the least of the variants that it lists."""
        column = self._mapping.product.price
        listed = value_at(row, self._path) if self._path else None
        if column is None or is_empty(listed) or not is_empty(column.raw(row)):
            return row
        ids = listed if isinstance(listed, list | tuple) else [listed]
        with closing(
            self._table.execute(
                "SELECT raw FROM prices WHERE id IN (SELECT value FROM json_each(?))"
                " ORDER BY amount LIMIT 1",
                (_json([_json(str(id_).strip()) for id_ in ids]),),
            )
        ) as rows:
            least = rows.fetchone()
        if least is None:
            return row
        return {
            **row,
            **dict.fromkeys(self._mapping.price_columns()),  # no reduction, no end of a sale
            column.names[0]: json.loads(least[0]),
        }


def _json(value: Any) -> str:
    """What SQLite can hold of any cell, such as an element with attributes or a broken text."""
    return json.dumps(value, default=float)
