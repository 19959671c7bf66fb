"""HTML in catalogues becomes plain text: tags go, entities become characters, breaks stay."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

__all__ = ["plain_text"]

_BLOCK_NAMES = """
    address article blockquote br dd div dl dt figure footer h1 h2 h3 h4 h5 h6 header hr li ol p
    pre section table tr ul
"""
_BLOCKS = frozenset(_BLOCK_NAMES.split())
"""Elements that begin a line of their own."""
_INLINE_NAMES = """
    a abbr b big body button center cite code col colgroup del em font head html i iframe img
    input ins kbd label main mark meta nav noscript o:p q s samp small span strike strong sub
    sup tbody td tfoot th thead time tt u video wbr
"""
_INLINE = frozenset(_INLINE_NAMES.split())
_HIDDEN = frozenset(("script", "style", "title", "template"))
_ROUNDS = 3
"""Times that text may have been escaped: feeds made from feeds hold &amp;amp;lt;."""


def plain_text(text: str) -> str:
    """The text without HTML; what only looks like a tag ("a < b", "<3") stays.

    >>> plain_text("<p>Soft tee.<br>100% cotton &amp;amp; pre-shrunk.</p>")
    'Soft tee.\\n100% cotton & pre-shrunk.'
    """
    text = text.replace("\\n", "\n")  # how WooCommerce exports the ends of lines
    for _ in range(_ROUNDS):
        if "<" not in text and "&" not in text:
            return text
        plain = _stripped(text)
        if plain == text:
            return text
        text = plain
    return text


def _stripped(text: str) -> str:
    if "<" not in text:
        return html.unescape(text)
    parser = _Text()
    parser.feed(text)
    parser.close()
    lines = (" ".join(line.split(" ")).strip() for line in "".join(parser.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """A line's end for a block, nothing for other elements, and text for what is none."""
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag in _BLOCKS:
            self._break()
        elif tag not in _INLINE:
            self.parts.append(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        """The same for <br/>."""
        if tag in _BLOCKS:
            self._break()
        elif tag not in _INLINE | _HIDDEN:
            self.parts.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        """The end of a block ends a line as well."""
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _BLOCKS:
            self._break()
        elif tag not in _INLINE:
            self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        """Text, unless it is a script's or a style's."""
        if not self._hidden:
            self.parts.append(data)

    def _break(self) -> None:
        if self.parts and not self.parts[-1].endswith("\n"):
            self.parts.append("\n")
