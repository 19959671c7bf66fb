"""Which line of a delimited file names its columns, and by what they are separated."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.sources.quoting import Quoting, split_line

__all__ = ["LOOKED_AT", "Header", "HeaderRules", "find_header"]

LOOKED_AT = 30
"""Lines at the beginning among which the header is looked for: templates explain themselves."""

_SEPARATORS = ",;\t|"
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
"""The line by which some spreadsheets name the separator."""
_AMAZON = re.compile(r'"?TemplateType=')
"""How the first line of Amazon's files begins; the second explains what the third one names."""
_REMARK = re.compile(r'"?#\s*\w')


@dataclass(frozen=True, slots=True)
class Header:
    """The names of the columns ("" for a column without one), and how the lines after it are read.

    `lines` are those up to and with the header; `notes` say what was guessed.
    """

    names: tuple[str, ...]
    quoting: Quoting
    lines: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HeaderRules:
    """What the mapping says: the separator and the mark, lines to skip, and columns to look for."""

    separator: str | None = None
    mark: str | None = '"'
    skip: int = 0
    expected: frozenset[str] = field(default_factory=frozenset)


def find_header(lines: Sequence[str], rules: HeaderRules) -> Header | None:
    """The header among a file's first lines, None when there is none.

    It is the first line that is neither blank nor a remark nor a title, unless a later one has more
    of the columns that the mapping names.
    """
    separator = rules.separator
    candidates: list[Header] = []
    for place, raw in enumerate(lines, start=1):
        line = raw.lstrip("\ufeff").strip("\r\n")
        separator_line = _SEP_LINE.fullmatch(line)
        if separator_line is not None:
            separator = separator or separator_line.group(1)
        elif place > rules.skip and line.strip("\ufeff \t,;|") and not _is_remark(line, rules):
            candidates.append(_header(line, place, separator, rules))
    if not candidates:
        return None
    if _AMAZON.match(candidates[0].names[0]):
        candidates = candidates[2:] or candidates
    best = max(candidates, key=lambda header: _matches(header, rules.expected))
    return best if _matches(best, rules.expected) else _first_table(candidates)


def _first_table(candidates: Sequence[Header]) -> Header:
    """The first line that names several columns, where it stands below a title: a line of one cell
    that is followed by lines of three cells and more."""
    first, following = candidates[0], candidates[1:2]
    is_title = sum(map(bool, first.names)) == 1 and following
    return following[0] if is_title and sum(map(bool, following[0].names)) >= 3 else first


def _header(line: str, place: int, separator: str | None, rules: HeaderRules) -> Header:
    options = [separator] if separator else list(_SEPARATORS)
    headers = [_split(line, place, Quoting(option, rules.mark)) for option in options]
    return max(
        headers,
        key=lambda header: (_matches(header, rules.expected), _count(line, header.quoting)),
    )


def _split(line: str, place: int, quoting: Quoting) -> Header:
    around = " \ufeff" if quoting.separator == "\t" else " \ufeff\t"
    names = split_line(line.strip(around), quoting)
    return Header(tuple(name.strip(" \ufeff\t") for name in names), quoting, place)


def _is_remark(line: str, rules: HeaderRules) -> bool:
    """Whether the line begins with # and is not the header of a first column with such a name."""
    if _REMARK.match(line) is None:
        return False
    return not any(name in line for name in rules.expected if name.startswith("#"))


def _matches(header: Header, expected: frozenset[str]) -> int:
    return len(expected.intersection(header.names))


def _count(line: str, quoting: Quoting) -> int:
    """How often the separator stands in the line outside quotation marks."""
    outside = "".join(line.split('"')[::2])
    return outside.count(quoting.separator)
