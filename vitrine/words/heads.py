"""What a query of several words asks for: the word that names the thing, and those that say which
kind of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import dropwhile, pairwise, takewhile

from vitrine.fields.colors import families
from vitrine.words.analysis import Analyzer, Token
from vitrine.words.known import is_known, neighbors, split
from vitrine.words.vocabulary import Vocabulary

__all__ = [
    "compound_of",
    "head_of",
    "is_known_head",
    "is_other_kind",
    "picture_only_words",
    "unknown_qualities",
]


def compound_of(tokens: Sequence[Token], analyzer: Analyzer) -> list[Token]:
    """The words with which a query begins and which name one thing: "phone box", "sac de sport"
    with the word that links them, "hoodie" of "a hoodie for hiking".

    Empty where they cannot be told from others, as beside a number ("iphone 13 case").
    """
    links = analyzer.language.links
    said = dropwhile(lambda token: token.stop, tokens)
    compound = list(takewhile(lambda token: not token.stop or token.word in links, said))
    return compound if all(token.word.isalpha() for token in compound) else []


def head_of(compound: Sequence[Token], analyzer: Analyzer) -> Token | None:
    """The word of a compound that names the thing: "box" of "phone box", "sac" of "sac de
    sport"."""
    words = [token for token in compound if not token.stop]
    if not words:
        return None
    return words[0 if analyzer.language.head == "first" else -1]


def is_other_kind(compound: Sequence[Token], vocabulary: Vocabulary, analyzer: Analyzer) -> bool:
    """Whether a compound asks for a kind that the catalogue may lack: no category is called by the
    word that names the thing, and no other word says how it is.

    "Camera bag" asks for another kind than the sleeping bags of a shop without a category for bags.
    It is asked only in languages whose file tells words of a kind from those that say how a thing
    is: in a list, and by links. Behind a link a kind is said so plainly that categories do not
    count ("robe de mariée"); what stands without one beside the thing may be an adjective, and says
    a kind only where no product has it ("carte postale").
    """
    head, language = head_of(compound, analyzer), analyzer.language
    if head is None or not language.qualities or not vocabulary.has_kinds:
        return False
    others = [token for token in compound if not token.stop and token is not head]
    if vocabulary.is_kind(head.term):
        others = [token for token in others if token.linked]
    elif language.links:
        words = [token.word for token in compound if not token.stop]
        others = [
            token
            for token in others
            if token.linked or not is_known(token.word, vocabulary, analyzer, around=words)
        ]
    joined = (a.word + b.word for a, b in pairwise(compound) if b.joined)  # "chew-proof leash"
    return bool(others) and not (
        any(_says_how(token, analyzer) for token in others) or any(map(language.is_quality, joined))
    )


def _says_how(token: Token, analyzer: Analyzer) -> bool:
    """Whether a word says how a thing is. Behind a link a noun stands, whatever its end is."""
    listed = analyzer.language.qualities
    quality = token.word in listed if token.linked else analyzer.language.is_quality(token.word)
    return quality or bool(families([token.word]))


def is_known_head(head: Token, vocabulary: Vocabulary, analyzer: Analyzer) -> bool:
    """Whether products are called by the word: a "phone box" is no phone. Of its halves the last
    has to name a category: a "handbag" is one of many bags, while "headphones" are no phones."""
    halves = split(head, vocabulary, analyzer)
    return (
        vocabulary.is_subject(head.term)
        or vocabulary.is_name(head.term, analyzer)
        or not head.word.isalpha()
        or (len(halves) > 1 and vocabulary.is_kind(halves[-1]))
        or len(vocabulary.compounds_of(head.term, analyzer)) > 0
    )


def picture_only_words(
    tokens: Sequence[Token], vocabulary: Vocabulary, analyzer: Analyzer
) -> set[str]:
    """The words that describe a thing of the catalogue behind "with", "in" or "for", where no
    product has one of them ("man with crossed arms", "pillow for neck pain"): pictures must answer
    them, and texts that have a part of them do not know better."""
    behind = analyzer.language.describing | analyzer.language.others
    named = list(takewhile(lambda token: token.word not in behind, tokens))
    thing = head_of(named, analyzer)
    if thing is None or not is_known_head(thing, vocabulary, analyzer):
        return set()
    words = [token.word for token in tokens[len(named) :] if not token.stop]
    known = (
        is_known(word, vocabulary, analyzer, around=neighbors(words, place))
        for place, word in enumerate(words)
        if word.isalpha()
    )
    return set() if all(known) else set(words)


def unknown_qualities(
    tokens: Sequence[Token], vocabulary: Vocabulary, analyzer: Analyzer
) -> set[str]:
    """The listed words that say how a thing is where no product says so ("lovely towel"): they tell
    no product from another."""
    return {
        token.word
        for token in tokens
        if not token.stop
        if token.word in analyzer.language.qualities
        if not is_known(token.word, vocabulary, analyzer)
    }
