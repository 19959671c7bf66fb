"""The comparison form of text: what differs only in case, accents, blanks or typography is
equal."""

from __future__ import annotations

import html
import re
import unicodedata

__all__ = ["fold"]

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
"""Only with their semicolon: HTML also reads "rock&reggae" as "rock®gae", which no shop means."""

_PLAIN = {
    **dict.fromkeys("‘’‚‛′´`ʼʹ＇", "'"),
    **dict.fromkeys("“”„‟″«»＂", '"'),
    **dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"),
    # A mark of the law is no part of a name; NFKC would make "EverCool™" the word "evercooltm".
    **dict.fromkeys("™®©℠℗", " "),
    "×": "x",
    # Letters that Unicode does not decompose, as its own Latin-ASCII transform writes them.
    **{"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"},
}
_REPLACED = re.compile(f"[{''.join(_PLAIN)}]")

_ACCENTS = re.compile(
    "[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
    "\ufe20-\ufe2f]"
)
"""Combining accents, Hebrew points, Arabic vowel signs. Indic vowel signs and kana marks make other
words and stay."""

_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e01ef]"
)
"""Control and format characters, variation selectors."""


def fold(text: str) -> str:
    """The form in which texts are compared: two texts are the same to a shopper when this is equal.

    HTML entities are decoded, compatibility forms unified (Unicode NFKC), case folded, accents
    taken off, typographic quotes and dashes made plain, marks such as ™ and ® and invisible
    characters dropped, blanks run together. For comparing only: what is shown stays as the shop
    wrote it. Folding twice changes nothing.

    >>> fold("  “Café  Crème”\\u00ad – EverCool&trade; Tee ")
    '"cafe creme" - evercool tee'
    """
    if text.isascii() and text.isprintable() and "&" not in text and "`" not in text:
        return " ".join(text.casefold().split())
    folded = _fold_once(text)
    while "&" in folded and (again := _fold_once(folded)) != folded:  # "&amp;eacute;"
        folded = again
    return folded


def _fold_once(text: str) -> str:
    text = _REPLACED.sub(_plain, _ENTITY.sub(_decoded, text))
    text = unicodedata.normalize("NFKC", text).casefold()
    text = _ACCENTS.sub("", unicodedata.normalize("NFD", text))
    text = _INVISIBLE.sub("", _REPLACED.sub(_plain, text))
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _plain(character: re.Match[str]) -> str:
    return _PLAIN[character.group()]


def _decoded(entity: re.Match[str]) -> str:
    return html.unescape(entity.group())
