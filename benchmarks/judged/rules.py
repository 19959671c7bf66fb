"""Judged queries as rules over a product's fields."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import ge, gt, le, lt
from pathlib import Path

from vitrine.folding import fold
from vitrine.products import Product

__all__ = ["JudgedQuery", "read_judged", "relevant", "write_judgements"]

_PRICE = re.compile(r"price(<=|>=|<|>)([\d.]+)")
_COMPARED: dict[str, Callable[[float, float], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """A query of a group and the rule of what answers it."""

    group: str
    text: str
    rule: str

    @property
    def is_absent(self) -> bool:
        """Whether the catalogue has nothing of the kind."""
        return self.rule == "none"


def read_judged(path: Path) -> list[JudgedQuery]:
    """The queries of a TOML file: a table a group, a key a query, a value its rule."""
    groups = tomllib.loads(path.read_text("utf-8"))
    return [
        JudgedQuery(group, text, rule)
        for group, queries in groups.items()
        for text, rule in queries.items()
    ]


def relevant(query: JudgedQuery, products: Sequence[Product]) -> frozenset[str]:
    """Ids of the products that answer the query.

    `ValueError` where a rule finds none and should.
    """
    if query.is_absent:
        return frozenset()
    found = frozenset(product.id for product in products if _fulfils(query.rule, product))
    if not found:
        raise ValueError(f"no product answers {query.text!r}: {query.rule}")
    return found


def write_judgements(
    path: Path, queries: Sequence[JudgedQuery], products: Sequence[Product]
) -> None:
    """Write the queries with the ids that answer them, as `vitrine evaluate` reads them."""
    with path.open("w", encoding="utf-8") as file:
        for query in queries:
            ids = sorted(relevant(query, products))
            line = {"text": query.text, "group": query.group, "relevant": ids}
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _fulfils(rule: str, product: Product) -> bool:
    return any(
        all(_condition(condition, product) for condition in alternative.split())
        for alternative in rule.split(" | ")
    )


def _condition(condition: str, product: Product) -> bool:
    if condition.startswith("-"):
        return not _condition(condition[1:], product)
    price = _PRICE.fullmatch(condition)
    if price is not None:
        compared = _COMPARED[price[1]]
        return product.price is not None and compared(product.price, float(price[2]))
    field, _, value = condition.partition(":")
    words = value.replace("_", " ")
    if field == "id":
        return product.id == value
    if field == "parent":
        return product.group_id == value
    if field == "title":
        return fold(value) in re.findall(r"[\w-]+", fold(product.title))
    if field == "leaf":
        levels = [level for path in product.category for level in path.split("/")]
        return any(words in (level, *level.split(" & ")) for level in levels)
    named = product.color if field == "color" else product.value(field)
    return isinstance(named, tuple) and words in named
