"""Paths into nested data: "offers.price", "images[].src", "param[Color]", "attributes.color"."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

__all__ = ["NAME_KEYS", "VALUE_KEYS", "head", "value_at"]

_TOKEN = re.compile(r"\[([^\]]*)\]|([^.\[\]]+)")
_PAIR = re.compile(r'(?:^|,)\s*"?([\w .-]+?)=((?:(?!,\s*"?[\w .-]+=).)*)', re.DOTALL)
"""One of "color=Black,size=XS", as Magento and PrestaShop write attributes."""
_OPTION = re.compile(r"(?:^|\|)Name=([^|]*)\|Value=([^|\[]*)")
"""One of "Type=Swatch|Name=Color|Value=Teal[#008080]", as BigCommerce writes options."""
_Token: TypeAlias = tuple[str | None, str | None]
NAME_KEYS = ("@name", "name", "key", "label", "title", "attribute_code", "option")
"""What an entry of a list of named values calls its name."""
VALUE_KEYS = ("#text", "value", "values", "options", "option")


def head(path: str) -> str:
    """The column that the path begins in.

    >>> head("offers.price"), head("images[].src")
    ('offers', 'images')
    """
    match = re.match(r"[^.\[]+", path)
    return match.group() if match else path


def value_at(values: Mapping[str, Any], path: str) -> Any:
    """The value at a path, None where there is none; a column of just that name comes first.

    Of a list "[]" is every entry, "[0]" the first, "[Color]" those named so. Text such as
    "color=Black,size=XS" and JSON text have parts as objects have.

    >>> value_at({"images": [{"src": "a.jpg"}, {"src": "b.jpg"}]}, "images[].src")
    ['a.jpg', 'b.jpg']
    """
    if path in values:
        return values[path]
    tokens = _tokens(path)
    if len(tokens) == 1:
        return None
    parts = list(_walk(values, tokens))
    if not parts:
        return None
    listed = len(parts) > 1 or any(inside is not None for inside, _ in tokens)
    return parts if listed else parts[0]


@lru_cache(maxsize=1024)
def _tokens(path: str) -> tuple[_Token, ...]:
    """The steps of a path: what stands in brackets, or a name."""
    return tuple((match[1], match[2]) for match in _TOKEN.finditer(path))


def _walk(value: Any, tokens: tuple[_Token, ...]) -> Iterator[Any]:
    if value is None:
        return
    if not tokens:
        yield from value if isinstance(value, list | tuple) else (value,)
        return
    token, rest = tokens[0], tokens[1:]
    for part in _parts(value, token):
        yield from _walk(part, rest)


def _parts(value: Any, token: _Token) -> Iterator[Any]:
    """What a token picks out of a value."""
    inside, name = token
    if isinstance(value, str):
        value = _parsed(value)
    if inside is None:
        if isinstance(value, Mapping):
            yield value.get(name)
        elif isinstance(value, list | tuple):
            for entry in value:
                yield from _parts(entry, token)
        return
    entries = value if isinstance(value, list | tuple) else [value]
    if inside == "":
        yield from entries
    elif inside.isdecimal():
        yield from entries[int(inside) : int(inside) + 1]
    else:
        yield from (_named_value(entry) for entry in entries if _is_named(entry, inside))


def _is_named(entry: Any, name: str) -> bool:
    if not isinstance(entry, Mapping):
        return False
    names = (entry.get(key) for key in NAME_KEYS)
    texts = (n.get("title") if isinstance(n, Mapping) else n for n in names)
    return any(isinstance(text, str) and text.casefold() == name.casefold() for text in texts)


def _named_value(entry: Mapping[str, Any]) -> Any:
    return next((entry[key] for key in VALUE_KEYS if entry.get(key) not in (None, "")), None)


def _parsed(text: str) -> Any:
    """JSON text as what it says, lists of name=value and of options as objects, of several such
    lists ("sku=A,color=Red|sku=B,color=Blue") each, other text as it is."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    options = _OPTION.findall(text)
    if options:
        return [{"name": name.strip(), "value": value.strip()} for name, value in options]
    pairs = _pairs(text)
    if not pairs:
        return text
    several = re.split(rf"\|(?={re.escape(next(iter(pairs)))}=)", text)
    return [_pairs(each) for each in several] if len(several) > 1 else pairs


def _pairs(text: str) -> dict[str, str]:
    return {name.strip(): value.strip(' "') for name, value in _PAIR.findall(text)}
