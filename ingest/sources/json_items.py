"""Where the rows are in a JSON document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from itertools import islice
from typing import IO

from vitrine.extras import needs

__all__ = ["KEYED", "find_items"]

KEYED = "{}"
"""At the end of a path: the rows are the members of an object, whose keys are their ids."""
_USUAL = ("products", "items", "data", "results", "entries", "nodes", "@graph")
"""Keys under which shops' programs put their list of products."""
_LOOKED_AT = 200_000
"""Events (a key, a value, a bracket) that are read to find the list."""

_ALIKE = 20
"""Members of an object that are compared to tell whether each is a product."""


def find_items(file: IO[bytes]) -> str | None:
    """ijson's path of the first list of objects, at most two levels deep; None when there is none.

    "item" is a document that is a list, "" one that is a single product (schema.org, with `@type`).
    Of GraphQL's lists (`edges`) the path is that of the nodes; for `KEYED` objects see there.
    """
    with needs("catalogues", "reading a JSON document"):
        import ijson

    lists: list[str] = []
    members: defaultdict[str, dict[str, None]] = defaultdict(dict)
    single = False
    try:
        prefix: str
        for number, (prefix, event, value) in enumerate(ijson.parse(file)):
            if event == "map_key":
                members[prefix][value] = None
            elif event == "start_map" and prefix.endswith(".edges.item.node"):
                return prefix
            elif event == "start_map" and prefix.endswith("item"):
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
    keyed = next((path for path in ("", *_USUAL) if _is_keyed(path, members)), None)
    if keyed is not None:
        return f"{keyed}{KEYED}"
    return min(lists, key=lambda prefix: prefix.count("."), default=None)


def _is_usual(prefix: str) -> bool:
    """Whether the list is a usual one; each entry of an ItemList of schema.org wraps a product."""
    if prefix.startswith("itemListElement"):
        return prefix == "itemListElement.item.item"
    return prefix.split(".")[-2] in _USUAL and prefix.count(".item") == 1


def _is_keyed(path: str, members: Mapping[str, Collection[str]]) -> bool:
    """Whether the object at the path holds products: its first members all share two keys."""
    paths = [f"{path}.{key}".lstrip(".") for key in islice(members.get(path, ()), _ALIKE)]
    alike = set.intersection(*(set(members.get(member, ())) for member in paths)) if paths else ()
    return len(paths) > 1 and len(alike) > 1
