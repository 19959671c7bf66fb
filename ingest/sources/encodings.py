"""Which encoding a text file has: its mark, UTF-8, or a guess that is announced."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass

from vitrine.extras import needs

__all__ = ["Encoding", "detect_encoding"]

_FALLBACK = "cp1252"
"""What spreadsheet programs in the West write where it is not Unicode."""
_CANDIDATES = [
    "cp1252",
    "cp1251",
    "cp1250",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp932",
    "gb18030",
    "big5",
    "cp949",
    "koi8_r",
]
"""What shops still export besides Unicode; each shadows the ISO 8859 part that it extends."""
_SAMPLE = 64 * 1024
"""Bytes of lines beyond ASCII that a guess rests on."""
_TIE = 0.05
"""Difference in disorder (0 to 1) below which the commoner encoding is taken."""
_MAC = "mac_roman"
"""What spreadsheet programs of Macs write as plain CSV; the library takes it for Windows-1252."""
_NEVER = "ˆ˜‡\ufffd"
"""What Mac's accented letters become in Windows-1252, and what no catalogue writes."""
_EAST_ASIAN = "\u2e80"
"""From here on are the characters of Chinese, Japanese and Korean."""
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
"""What only Japanese is written with; as Korean or Chinese the same bytes are text as well."""
_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


@dataclass(frozen=True, slots=True)
class Encoding:
    """The codec's name, and what to tell of it (None where there was nothing to guess)."""

    name: str
    note: str | None = None


def detect_encoding(blocks: Iterable[bytes]) -> Encoding:
    """The encoding of a file, given as its blocks of bytes in order.

    Text that is UTF-8 but for single bytes is UTF-8: those bytes cost the rows that they stand in.
    """
    counts = _Counts()
    for number, block in enumerate(blocks):
        if number == 0 and (marked := _marked(block)) is not None:
            return marked
        counts.add(block)
    counts.finish()
    if counts.invalid == 0:
        return Encoding("utf-8-sig")
    if counts.valid > counts.invalid:
        return Encoding("utf-8-sig", _damage(counts.invalid))
    name = _unless_mac(bytes(counts.sample), _guess(bytes(counts.sample)))
    return Encoding(
        name, f"read as {_shown(name)}, which is a guess; set encoding in [source] where it is not"
    )


def _marked(start: bytes) -> Encoding | None:
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):  # begins as that of UTF-16
        return Encoding("utf-32")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Encoding("utf-16")
    head = start[:2000]
    if len(head) >= 4 and b"\0" in head:
        for name in ("utf-32-le", "utf-32-be"):
            if _is_text(head, name):
                return Encoding(name, f"read as {name.upper()}, which is a guess: it has no mark")
        odd, even = head[1::2].count(0), head[0::2].count(0)
        if max(odd, even) > len(head) // 8:
            name = "utf-16-le" if odd > even else "utf-16-be"
            return Encoding(name, f"read as {name.upper()}, which is a guess: it has no mark")
    return None


def _is_text(head: bytes, name: str) -> bool:
    """Whether all of it, whole characters of four bytes, is of that encoding."""
    try:
        return bool(head[: len(head) // 4 * 4].decode(name))
    except UnicodeDecodeError:
        return False


class _Counts:
    """How many characters beyond ASCII are UTF-8, how many bytes are not, and lines with them."""

    def __init__(self) -> None:
        self.valid = 0
        self.invalid = 0
        self.sample = bytearray()
        self._carry = b""

    def add(self, block: bytes) -> None:
        """Count a block; a line cut by its end is counted with the next one."""
        block = self._carry + block
        cut = block.rfind(b"\n") + 1
        self._carry = block[cut:] if cut and len(block) - cut < _SAMPLE else b""
        self._count(block[: len(block) - len(self._carry)])

    def finish(self) -> None:
        """Count what is left after the last line's end."""
        self._count(self._carry)
        self._carry = b""

    def _count(self, block: bytes) -> None:
        if block.isascii():
            return
        high = len(_NOT_ASCII.findall(block))
        whole = _UTF8.findall(block)
        self.valid += len(whole)
        self.invalid += high - sum(map(len, whole))
        if len(self.sample) < _SAMPLE:
            lines = (line for line in block.split(b"\n") if not line.isascii())
            self.sample += b"\n".join(lines)[:_SAMPLE]


def _guess(sample: bytes) -> str:
    with needs("catalogues", "guessing the encoding of a file"):
        from charset_normalizer import from_bytes

    if _is_japanese(sample):
        return "cp932"
    matches = list(from_bytes(sample, cp_isolation=_CANDIDATES))
    if not matches:
        return _FALLBACK
    best = matches[0]
    close = [m for m in matches if m.chaos <= best.chaos + _TIE and m.coherence >= best.coherence]
    names = {name for match in close for name in match.could_be_from_charset}
    return _FALLBACK if _FALLBACK in names else best.encoding


def _is_japanese(sample: bytes) -> bool:
    """Whether it is Shift JIS with kana: other texts have bytes that are not."""
    text = sample.decode("cp932", "replace")
    kana = len(_KANA.findall(text))
    return kana > 1 and text.count("\ufffd") <= kana // 100


def _unless_mac(sample: bytes, name: str) -> str:
    """The encoding, or Mac Roman where the bytes make far better words in that."""
    misplaced = _misplaced(sample.decode(name, "replace"))
    return _MAC if misplaced > 2 * _misplaced(sample.decode(_MAC)) else name


def _misplaced(text: str) -> int:
    """How many characters stand where no word has them: signs between letters, capitals within,
    those of East Asia beside small Latin ones."""
    count = 0
    for before, character, after in zip(f" {text}", text, f"{text[1:]} ", strict=False):
        if character.isascii():
            continue
        if character in _NEVER:
            count += 1
        elif character >= _EAST_ASIAN:
            count += any(c.isascii() and c.islower() for c in (before, after))
        elif character.isupper():
            count += before.islower() or (before.isalpha() and after.islower())
        elif not character.isalpha() and character not in "’‘":
            count += before.isalpha() and after.isalpha()
    return count


def _damage(count: int) -> str:
    things = "byte is" if count == 1 else "bytes are"
    return f"{count} {things} not UTF-8; rows whose values need them are told"


def _shown(name: str) -> str:
    return "Mac Roman" if name == _MAC else re.sub(r"^cp125", "Windows-125", name)
