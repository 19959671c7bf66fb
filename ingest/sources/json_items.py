"""Where the rows are in a JSON document."""

from __future__ import annotations

from typing import IO

from vitrine.extras import needs

__all__ = ["find_items"]

_USUAL = ("products", "items", "data", "results", "entries", "@graph")
"""Keys under which shops' programs put their list of products."""
_LOOKED_AT = 200_000
"""Events (a key, a value, a bracket) that are read to find the list."""


def find_items(file: IO[bytes]) -> str | None:
    """ijson's path of the first list of objects, at most two levels deep; None when there is none.

    "item" is a document that is a list, "" one that is a single product (schema.org, with `@type`).
    """
    with needs("catalogues", "reading a JSON document"):
        import ijson

    lists: list[str] = []
    single = False
    try:
        prefix: str
        for number, (prefix, event, value) in enumerate(ijson.parse(file)):
            if event == "start_map" and prefix.endswith("item"):
                if prefix == "item" or _is_usual(prefix):
                    return prefix
                lists.append(prefix)
            elif prefix == "@type" and event == "string":
                single = value == "Product"
            if number > _LOOKED_AT:
                break
    except (ijson.JSONError, ValueError):
        pass  # told when the rows are read
    if single:
        return ""
    return min(lists, key=lambda prefix: prefix.count("."), default=None)


def _is_usual(prefix: str) -> bool:
    """Whether the list is a usual one; each entry of an ItemList of schema.org wraps a product."""
    if prefix.startswith("itemListElement"):
        return prefix == "itemListElement.item.item"
    return prefix.split(".")[-2] in _USUAL and prefix.count(".item") == 1
