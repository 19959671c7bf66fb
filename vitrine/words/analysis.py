"""Text becomes terms: tokens, stems, stop words, by language."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from vitrine.folding import fold
from vitrine.words.exact import trade_number
from vitrine.words.language import Language, language

__all__ = ["SHORTEST_REST", "VOWELS", "Analyzer", "Token", "analyzer_of"]

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
"""Thai, Lao, Burmese, Khmer, kana, Han: scripts written without blanks between words."""
_RUN = re.compile(rf"[{_UNSPACED}]+|(?:(?![{_UNSPACED}])[^\W_])+(?:'(?![{_UNSPACED}])[^\W_]+)*")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")

_PLAIN = re.compile(rf"[^-/{_UNSPACED}]*")
"""Text whose words are all apart."""
_SHORT = 80
"""Characters of a text that is likely to come again."""
SHORTEST_REST = 3
"""Letters before the end of a compound: "er" and "be" are no words. Shorter ones have to be known:
"Öl"."""
VOWELS = frozenset("aeiouyáéíóúæœøåäöü")
"""Every word has one of them."""
_SHORTEST_END = 4
"""Letters of a listed word that compounds may end with: shorter ones end other words as well."""
_KEPT_WORDS, _KEPT_TEXTS = 1 << 15, 1 << 13
"""Words and short texts that are kept as they were read, 4 MB of each."""


class Token(NamedTuple):
    """One word of a text: as it stands there (folded), its term, and where it stands.

    `start` and `end` count characters of the folded text. `joined` says that nothing but a hyphen
    or a slash lies between this word and the one before it, `linked` that a link of the language
    does ("sac de sport", "pot d'échappement").
    """

    word: str
    term: str
    start: int
    end: int
    joined: bool = False
    stop: bool = False
    linked: bool = False


class Analyzer:
    """Tokens and terms of one language; safe to use from several threads.

    `code` is the catalogue's language (ISO 639-1, such as "en" or "de"). For languages that
    Snowball does not know, terms are the words as they are, folded.
    """

    def __init__(self, code: str = "en") -> None:
        self._language = language(code)
        self._stemmers = threading.local()  # Snowball's stemmers are not for several threads
        self._stem = lru_cache(maxsize=_KEPT_WORDS)(self._stem_uncached)
        self._read = lru_cache(maxsize=_KEPT_WORDS)(self._read_uncached)
        self._short_words = lru_cache(maxsize=_KEPT_TEXTS)(self._words)

    @property
    def language(self) -> Language:
        """The language whose words these are."""
        return self._language

    def tokens(self, text: str) -> list[Token]:
        """The words of a text in order, stop words included and marked.

        >>> [t.term for t in Analyzer("en").tokens("Women's running jackets")]
        ['woman', 'run', 'jacket']
        """
        return list(self._tokens(fold(text)))

    def words(self, text: str) -> Sequence[tuple[str, str]]:
        """The words that say something, each with its term, in order.

        Each pair that a hyphen or a slash joins is also one word (t-shirt, tshirt). Short texts are
        kept: brands, colors and categories come again and again.
        """
        return self._short_words(text) if len(text) <= _SHORT else self._words(text)

    def stop_pairs(self, text: str) -> list[str]:
        """A term for each two stop words in a row, which are all that names some titles.

        >>> Analyzer("en").stop_pairs("From here to there, the guide")
        ['from here', 'here to', 'to there', 'there the']
        """
        read = [(word, stop) for word, _, stop in map(self._read, _RUN.findall(fold(text)))]
        return [f"{first} {second}" for (first, a), (second, b) in pairwise(read) if a and b]

    def term(self, word: str) -> str:
        """The term of one folded word: its stem, without accents."""
        return self._stem(word)

    def is_listed(self, word: str) -> bool:
        """Whether the folded word stands in the language's file: it is no misspelling."""
        listed = self._language.irregular
        return self.is_stop_word(word) or word in listed or self._language.singular(word) in listed

    def is_stop_word(self, word: str) -> bool:
        """Whether the folded word says nothing about a product."""
        return word in self._language.stop_words

    def _words(self, text: str) -> tuple[tuple[str, str], ...]:
        folded = fold(text)
        if _PLAIN.fullmatch(folded):
            read = map(self._read, _RUN.findall(folded))
            return tuple([(word, term) for word, term, stop in read if word and not stop])
        words: list[tuple[str, str]] = []
        previous = ""
        for token in self._tokens(folded):
            if not token.stop:
                words.append((token.word, token.term))
            if token.joined:
                words.append((previous + token.word, self._stem(previous + token.word)))
            previous = token.word
        return tuple(words)

    def _tokens(self, folded: str) -> Iterator[Token]:
        previous_end, linked = -1, False
        links = self._language.links
        for run in _RUN.finditer(folded):
            word, start, end = run.group(), run.start(), run.end()
            joined = start == previous_end + 1 and folded[previous_end] in "-/"
            previous_end = end
            if _IS_UNSPACED.match(word):
                yield from _bigrams(word, start)
                continue
            bare, term, stop = self._read(word)
            if bare != word:  # an elision: d'échappement
                linked |= word.partition("'")[0] in links
            if bare:
                yield Token(bare, term, end - len(bare), end, joined, stop, linked)
            linked = stop and bare in links

    def _read_uncached(self, word: str) -> tuple[str, str, bool]:
        head, apostrophe, rest = word.partition("'")
        bare = rest if apostrophe and head in self._language.elisions else word
        return bare, self._stem(bare), self.is_stop_word(bare)

    def _stem_uncached(self, word: str) -> str:
        if any(c.isdigit() for c in word):
            return trade_number(word)
        word = word.replace("'", "")  # "bret's" is "brets", as a possessive is the plural
        irregular = self._irregular(word)
        if irregular is not None:
            return irregular
        if not hasattr(self._stemmers, "stemmer"):
            self._stemmers.stemmer = self._language.new_stemmer()
        singular = self._language.singular(word)
        stemmer = self._stemmers.stemmer
        stem = fold(stemmer.stemWord(singular)) if stemmer is not None else word
        if len(stem) > 3 and stem[-2:] in self._language.endings:
            stem = stem[:-2] + self._language.endings[stem[-2:]]
        return self._language.irregular.get(stem, stem) or word

    def _irregular(self, word: str) -> str | None:
        """The term of a word that the language's file lists, or of a compound that ends with
        one."""
        listed = self._language.irregular
        if word in listed:
            return listed[word]
        if self._language.compounds:
            for cut in range(SHORTEST_REST, len(word) - _SHORTEST_END + 1):
                if word[cut:] in listed and not VOWELS.isdisjoint(word[:cut]):
                    return word[:cut] + listed[word[cut:]]
        return listed.get(self._language.singular(word))


@lru_cache(maxsize=16)
def analyzer_of(code: str) -> Analyzer:
    """The process's analyzer of a language: all that read it share what it keeps."""
    return Analyzer(code)


def _bigrams(run: str, start: int) -> Iterator[Token]:
    """Overlapping pairs of characters, the usual terms of scripts without blanks (Lucene's CJK)."""
    if len(run) == 1:
        yield Token(run, run, start, start + 1)
    for position in range(len(run) - 1):
        pair = run[position : position + 2]
        yield Token(pair, pair, start + position, start + position + 2)
