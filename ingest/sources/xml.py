"""XML feeds, read one element at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.sources.binary import open_binary
from ingest.sources.document import DocumentReader
from ingest.sources.ports import Record
from vitrine.errors import InvalidInput, SourceUnavailable
from vitrine.extras import needs
from vitrine.fields.source_table import SourceTable

__all__ = ["XmlReader"]

_USUAL = ("item", "entry", "offer", "product", "prod", "SHOPITEM")
"""Elements that hold a product in the feeds of shopping services."""
_CAUSES = {
    "invalid token": "often an & that is not written &amp;, or another encoding than line 1 states",
    "undefined entity": "XML lacks the entities of HTML, such as &nbsp;: write the character",
}
"""What the parser says -> what is behind it most often."""
_NO_MEMORY = 1
"""The parser's code for it (XML_ERROR_NO_MEMORY, expat.h): then the file may well be valid."""
_GOOGLE = "http://base.google.com/ns/1.0"
_DEEPEST = 20
"""Levels of categories; a tree that is deeper goes in a circle."""
_LOOKED_AT = 20_000
"""Elements that are read to find those that hold the rows."""


class XmlReader(DocumentReader):
    """A feed whose rows are elements of one name, such as <item> of RSS or <offer> of YML.

    A row's columns are its child elements, with their prefix as the feed writes it ("g:price"); an
    attribute is "@id"; "@category" are the paths of a YML offer's `categoryId`. Entities that a
    file declares are refused, external ones are never read.
    """

    def __init__(self, path: Path, table: SourceTable) -> None:
        super().__init__(path, table)
        self._tag: str | None = None

    def notes(self) -> tuple[str, ...]:
        """Which elements are taken for the rows, unless the mapping says it."""
        if self._table.items:
            return ()
        return (f"the rows are the elements <{self._row_tag()}>",)

    def records(self) -> Iterator[Record]:
        """The rows; the format gives no way to go on after a syntax error: that is the last one."""
        tag = self._row_tag()
        categories = _Categories()
        number = 0
        for element in self._elements():
            if element.error:
                message = f"from here on the file is not valid XML: {element.error}"
                yield Record(f"<{tag}> {number + 1}", error=message)
            elif element.name == tag and tag not in element.path:
                number += 1
                values = element.values()
                yield Record(f"<{tag}> {number}", categories.added(values))
                element.forget()
            elif element.name == "category" and tag not in element.path:
                categories.note(element.values())
                element.forget()
            elif tag not in element.path:
                element.forget()

    def _row_tag(self) -> str:
        if self._tag is None:
            path = self._table.items
            self._tag = path.replace("[]", "").rpartition(".")[2] if path else self._guessed()
        return self._tag

    def _guessed(self) -> str:
        """A usual name that is there, else the commonest element with children."""
        counts: Counter[str] = Counter()
        for number, element in enumerate(self._elements()):
            if element.error and not counts:
                raise SourceUnavailable.of(
                    "source", f"{self._path} is not valid XML: {element.error}"
                )
            if element.error or number > _LOOKED_AT:
                break
            if element.path and len(element.node) > 1:
                if element.name in _USUAL:
                    return element.name
                counts[element.name] += 1
        if not counts:
            raise SourceUnavailable.of(
                "source", f"{self._path} holds no elements that look like rows"
            )
        return counts.most_common(1)[0][0]

    def _elements(self) -> Iterator[_Element]:
        """Every element when it ends; at last the text of a syntax error."""
        with needs("catalogues", "reading an XML feed"):
            from defusedxml.common import DefusedXmlException
            from defusedxml.ElementTree import ParseError, iterparse

        names = _Names()
        open_nodes: list[Any] = []
        with open_binary(self._path, self._meter) as file:
            events = iterparse(file, events=("start", "end", "start-ns"))
            try:
                for event, node in events:
                    if event == "start-ns":
                        names.declare(*node)
                    elif event == "start":
                        open_nodes.append(node)
                    else:
                        open_nodes.pop()
                        yield _Element(node, tuple(open_nodes), names)
            except ParseError as error:
                if error.code == _NO_MEMORY:
                    raise MemoryError from None
                yield _Element(None, (), names, error=_in_words(str(error)))
            except DefusedXmlException:
                raise InvalidInput.of(
                    "source",
                    f"{self._path} declares entities of its own, which are not read; "
                    "write the characters themselves",
                ) from None


class _Names:
    """Names of elements as the feed writes them, with their prefixes."""

    def __init__(self) -> None:
        self._prefixes: dict[str, str] = {}

    def declare(self, prefix: str, address: str) -> None:
        """Note what a name space is called; Google's is "g", whatever a feed calls it."""
        self._prefixes[address] = "g" if address == _GOOGLE and prefix else prefix

    def of(self, tag: str) -> str:
        """The name of an element or attribute of that tag ("{name space}name")."""
        space, _, local = tag.rpartition("}")
        prefix = self._prefixes.get(space.removeprefix("{"), "")
        return f"{prefix}:{local}" if prefix else local

    def values(self, node: Any) -> dict[str, Any]:
        """A node's attributes ("@id"), children by name (a list where they share it), and text."""
        values: dict[str, Any] = {f"@{self.of(name)}": text for name, text in node.attrib.items()}
        for child in node:
            name = self.of(child.tag)
            plain = not len(child) and not child.attrib
            value = (child.text or "").strip() if plain else self.values(child)
            values[name] = [*_listed(values[name]), value] if name in values else value
        text = (node.text or "").strip()
        if text:
            values["#text"] = text
        return values


@dataclass(frozen=True, slots=True)
class _Element:
    """An element that has been read to its end, and those around it from the outermost inwards."""

    node: Any
    around: tuple[Any, ...]
    names: _Names
    error: str = ""

    @property
    def name(self) -> str:
        return self.names.of(self.node.tag)

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(self.names.of(node.tag) for node in self.around)

    def values(self) -> dict[str, Any]:
        return self.names.values(self.node)

    def forget(self) -> None:
        """Take it out of the document, so that memory stays flat."""
        if self.around:
            self.around[-1].remove(self.node)


class _Categories:
    """The tree of categories that a YML feed lists before its offers."""

    def __init__(self) -> None:
        self._nodes: dict[str, tuple[str, str | None]] = {}

    def note(self, values: Mapping[str, Any]) -> None:
        """Keep a category: its number, its name and its parent's number."""
        number, name = values.get("@id"), values.get("#text")
        if number and name:
            self._nodes[number] = (name, values.get("@parentId"))

    def added(self, values: dict[str, Any]) -> dict[str, Any]:
        """A row with the paths of its `categoryId` as "@category"."""
        numbers = _listed(values.get("categoryId"))
        paths = [path for number in numbers if (path := self._path(number))]
        return {**values, "@category": paths} if paths else values

    def _path(self, number: Any) -> str:
        names: list[str] = []
        while isinstance(number, str) and number in self._nodes and len(names) < _DEEPEST:
            name, number = self._nodes[number]
            names.append(name.replace("/", "\u2215"))  # a slash would begin a level
        return "/".join(reversed(names))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _in_words(error: str) -> str:
    return "; ".join((error, *(cause for said, cause in _CAUSES.items() if said in error)))
