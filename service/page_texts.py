"""The texts of the pages: a table for each language, `texts/CODE.json`, by the same keys.

A text may have placeholders such as {name}; one that depends on a number, {count}, is an object
with a text for each plural category (Unicode CLDR). Scripts get the table with their page.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TypeAlias

from flask import request

from service.container import current_vitrine
from vitrine.errors import VitrineError

__all__ = ["DEFAULT_LANGUAGE", "LANGUAGES", "Texts", "shop_language", "texts_of"]

Texts: TypeAlias = Mapping[str, str | Mapping[str, str]]

_FOLDER = Path(__file__).with_name("texts")
DEFAULT_LANGUAGE = "en"
LANGUAGES = (DEFAULT_LANGUAGE, "de", "es", "fr")


@cache
def texts_of(language: str) -> Texts:
    """The table of one of LANGUAGES."""
    texts: Texts = json.loads((_FOLDER / f"{language}.json").read_text("utf-8"))
    return texts


def shop_language() -> str:
    """The language of the live catalogue where it says one of LANGUAGES, else the visitor's."""
    language = _catalogue_language()
    if language in LANGUAGES:
        return language
    # Not by best_match, which prefers the exact "en" to "fr" for "fr-CH, en;q=0.8".
    accepted = (tag.partition("-")[0].lower() for tag in request.accept_languages.values())
    return next((language for language in accepted if language in LANGUAGES), DEFAULT_LANGUAGE)


def _catalogue_language() -> str | None:
    """What the mapping says of the version that answered last; before a first answer, of the live
    one. None where the index is down, too: the page's first search tells what is wrong."""
    vitrine = current_vitrine()
    try:
        index = vitrine.live.latest or vitrine.versions.live()
    except VitrineError:
        return None
    return index.info.mapping.get("language")
