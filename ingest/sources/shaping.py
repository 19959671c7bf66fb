"""The rows of a source as a mapping wants them: spread out, filled down, and without the hidden."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from typing import Any

from ingest.sources.ports import BrokenRow, LeftOutRow, Row, Source
from ingest.sources.variant_prices import VariantPrices
from vitrine.fields import Mapping as CatalogueMapping
from vitrine.fields.paths import head, value_at
from vitrine.fields.scalars import is_empty

__all__ = ["ShapedSource"]

NO_OPTION = "Default Title"
"""What Shopify writes for the option of a product that has none."""
_BLOCK = 10_000
"""Rows of one product that are read before the first is passed on: its pictures come last."""
_GROUPS = 20_000
"""Groups whose first values are remembered: variants need not follow their product at once."""


class ShapedSource:
    """A source read through the [source] table of a mapping.

    A row with a list of variants becomes a row for each. Of rows that share a group, an empty cell
    takes the group's first value (but for ids and codes, and for prices where the row has one), and
    rows with nothing of their own but
    pictures are left out. "@group" is what they share, "@variant" names such a row by its group and
    options. Rows that `where` does not want are left out.
    """

    def __init__(self, source: Source, mapping: CatalogueMapping) -> None:
        self._source = source
        self._mapping = mapping
        self._table = mapping.source

    @property
    def name(self) -> str:
        """The source's own."""
        return self._source.name

    def columns(self, needed: Collection[str]) -> Collection[str]:
        """The source's own."""
        return self._source.columns(needed)

    def count(self) -> int | None:
        """The source's own; None where a row may become several."""
        return None if self._table.expand else self._source.count()

    def share(self) -> float | None:
        """The source's own."""
        return self._source.share()

    def notes(self) -> tuple[str, ...]:
        """The source's own."""
        return self._source.notes()

    def detached(self) -> ShapedSource | None:
        """The source's own, shaped in the same way."""
        source = self._source.detached()
        return None if source is None else ShapedSource(source, self._mapping)

    def rows(self) -> Iterator[Row | BrokenRow | LeftOutRow]:
        """The rows, numbered anew."""
        if not self._has_listed_prices():
            yield from self._shaped(lambda values: values)
            return
        counting = (
            row.values
            for row in self._source.rows()
            if isinstance(row, Row) and _unfit(row.values, self._table.where) is None
        )
        with closing(VariantPrices(self._mapping, counting)) as prices:
            yield from self._shaped(prices.filled)

    def _has_listed_prices(self) -> bool:
        """Whether rows can list variants that have their price: then the source is read twice."""
        path = self._table.prices_of
        return path is not None and head(path) in self._source.columns([head(path)])

    def _shaped(
        self, priced: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    ) -> Iterator[Row | BrokenRow | LeftOutRow]:
        groups = _Groups(self._mapping)
        for number, row in enumerate(self._whole(self._spread())):
            if not isinstance(row, Row):
                yield type(row)(number, _words(row), row.place)
                continue
            filled = groups.filled(row.values) if self._table.rows == "variants" else row.values
            reason = self._reason(row.values, filled)
            if reason is not None:
                yield LeftOutRow(number, reason, row.place)
            else:
                values = groups.named(self._paired(priced(filled)))
                yield Row(number, values, row.base, row.place)

    def _spread(self) -> Iterator[Row | BrokenRow | LeftOutRow]:
        """Rows, one for each entry of the list that `expand` names."""
        path = self._table.expand
        for row in self._source.rows():
            entries = value_at(row.values, path) if path and isinstance(row, Row) else None
            if not isinstance(row, Row) or path is None or is_empty(entries):
                yield row
                continue
            listed = entries if isinstance(entries, list | tuple) else [entries]
            for place, entry in enumerate(listed, start=1):
                values = {**row.values, path: entry}
                where = row.place if len(listed) == 1 else f"{row.place}, {path} {place}"
                yield Row(row.number, values, row.base, where)

    def _whole(
        self, rows: Iterator[Row | BrokenRow | LeftOutRow]
    ) -> Iterator[Row | BrokenRow | LeftOutRow]:
        """The rows, each product's with the group and the pictures that only its block tells."""
        if not self._table.begins:
            yield from rows
            return
        block: list[Row] = []
        for row in rows:
            if not isinstance(row, Row):
                yield row
                continue
            if block and (_fits(row.values, self._table.begins) or len(block) == _BLOCK):
                yield from self._block(block)
                block = []
            block.append(row)
        yield from self._block(block)

    def _block(self, rows: list[Row]) -> Iterator[Row | LeftOutRow]:
        pictures = [row for row in rows if _fits(row.values, self._table.pictures)]
        group = (
            {name: rows[0].values.get(name) for name in self._table.group_by or ()} if rows else {}
        )
        for row in rows:
            if row in pictures:
                yield LeftOutRow(row.number, "a picture of its product", row.place)
                continue
            values = {**row.values, **group}
            if row is rows[0]:
                for name in self._mapping.product.images.names:
                    own = [value_at(other.values, name) for other in (row, *pictures)]
                    values[name] = [value for value in own if not is_empty(value)]
            yield Row(row.number, values, row.base, row.place)

    def _paired(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The row with its pairs of names and values, as a list of such objects."""
        if not self._table.pairs:
            return values
        pairs = [
            {"name": str(name).strip(), "value": _only(value_at(values, column))}
            for path, column in self._table.pairs.items()
            if not is_empty(name := _only(value_at(values, path)))
        ]
        return {**values, "@pairs": pairs}

    def _reason(self, own: Mapping[str, Any], filled: Mapping[str, Any]) -> str | None:
        """Why the row is left out, None when it is taken."""
        column = _unfit(filled, {**self._table.where, **self._table.shown})
        if column is not None:
            return f"{column} is {_shown(value_at(filled, column))}"
        if self._table.rows == "variants" and self._has_only_pictures(own, filled):
            return "a further picture of its product"
        return None

    def _has_only_pictures(self, own: Mapping[str, Any], filled: Mapping[str, Any]) -> bool:
        """Whether a row that follows its group's first says nothing of its own but pictures."""
        group = set(self._table.group_by or ())
        return own is not filled and all(
            is_empty(value_at(own, name))
            for name in self._mapping.field_columns()
            if name not in group
        )


def _only(value: Any) -> Any:
    """A single value, which a path such as "options[0].name" gives as a list."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


class _Groups:
    """The first values of each group, for the columns that the mapping names."""

    def __init__(self, mapping: CatalogueMapping) -> None:
        self._by = mapping.source.group_by or ()
        self._shared = [name for name in mapping.heads() if name not in mapping.own_columns()]
        self._prices = mapping.price_columns()
        self._first: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._counts: Counter[str] = Counter()

    def filled(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The row with its group's first values where it has none of its own."""
        key = self._key(values)
        if key is None:
            return values
        first = self._first.get(key)
        if first is None:
            self._first[key] = {name: values[name] for name in self._shared if name in values}
            if len(self._first) > _GROUPS:
                forgotten, _ = self._first.popitem(last=False)
                self._counts.pop(forgotten, None)
            return values
        self._first.move_to_end(key)
        own = {name: value for name, value in values.items() if not is_empty(value)}
        if any(name in own for name in self._prices):  # its reduction is its own as well
            first = {name: value for name, value in first.items() if name not in self._prices}
        return {**values, **first, **own}

    def named(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The row with "@group", and "@variant": the group with the row's options or place."""
        key = self._key(values)
        if key is None:
            return values
        self._counts[key] += 1
        place = self._counts[key]
        options = [
            str(pair["value"]).strip()
            for pair in values.get("@pairs", ())
            if not is_empty(pair["value"]) and pair["value"] != NO_OPTION
        ]
        if not options and place > 1:
            options = [str(place)]
        return {**values, "@group": key, "@variant": "/".join((key, *options))}

    def _key(self, values: Mapping[str, Any]) -> str | None:
        for name in self._by:
            value = value_at(values, name)
            if not is_empty(value):
                return str(value).removeprefix("id:").strip()  # WooCommerce: a parent without SKU
        return None


def _fits(values: Mapping[str, Any], allowed: Mapping[str, Collection[object]]) -> bool:
    """Whether every column has one of its allowed values; never where nothing is allowed.

    Of a list one entry is enough.
    """
    return bool(allowed) and all(
        not {_plain(entry) for entry in entries}.isdisjoint(map(_plain, _listed(values, column)))
        for column, entries in allowed.items()
    )


def _unfit(values: Mapping[str, Any], shown: Mapping[str, Collection[object]]) -> str | None:
    """The first column that has none of its allowed values."""
    return next((c for c, allowed in shown.items() if not _fits(values, {c: allowed})), None)


def _listed(values: Mapping[str, Any], column: str) -> list[Any]:
    value = value_at(values, column)
    return value if isinstance(value, list) and value else [value]


def _plain(value: object) -> str:
    """A value as a mapping compares it: text without case and blanks around it."""
    if isinstance(value, Mapping):
        value = value.get("#text")
    if is_empty(value):
        return ""
    if isinstance(value, float) and value == int(value):
        value = int(value)
    return str(value).strip().lstrip("'").casefold()


def _shown(value: object) -> str:
    return repr(value) if not is_empty(value) else "empty"


def _words(row: BrokenRow | LeftOutRow) -> str:
    return row.message if isinstance(row, BrokenRow) else row.reason
