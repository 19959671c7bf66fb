"""The pages' texts: the same in every language, and each chosen for the shop and its visitors."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from service.page_texts import LANGUAGES, Texts, texts_of
from tests.unit.service.conftest import Shop

SERVICE = Path(__file__).parents[3] / "service"
SOURCES = [*(SERVICE / "templates").glob("*.html"), *(SERVICE / "static" / "js").rglob("*.js")]
FROM_NAMES = ("field.", "color.", "crop.")
"""Keys that scripts put together."""


def placeholders(texts: Texts, key: str) -> list[set[str]]:
    """Those of each form of a text."""
    text = texts[key]
    forms = [text] if isinstance(text, str) else [text[form] for form in ("one", "other")]
    return [set(re.findall(r"{\w+}", form)) for form in forms]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_with_its_placeholders(language: str) -> None:
    english, texts = texts_of("en"), texts_of(language)
    assert list(texts) == list(english)
    for key in english:
        assert placeholders(texts, key) == placeholders(english, key), key


def test_french_signs_stay_in_the_line_of_their_word() -> None:
    written = json.dumps(texts_of("fr"), ensure_ascii=False, separators=(",", ":"))
    assert re.findall(r"[^\"]* [:;?!»%]|[^\"]*« ", written) == []  # the spaces there do not break


def test_every_text_is_used_and_every_text_that_is_used_exists() -> None:
    written = "\n".join(path.read_text("utf-8") for path in SOURCES)
    assert [
        key
        for key in texts_of("en")
        if not key.startswith(FROM_NAMES) and not re.search(f"[\"']{re.escape(key)}[\"']", written)
    ] == []
    for template in (SERVICE / "templates").glob("*.html"):
        assert set(re.findall(r"\bt\('([^']+)'\)", template.read_text("utf-8"))) <= set(
            texts_of("en")
        )


def page(shop: Shop, address: str, mapping: dict[str, object], accepted: str) -> tuple[str, Texts]:
    """The language of a page and the texts that come with it."""
    live = shop.versions.live()
    live.info = replace(live.info, mapping=mapping)
    response = shop.client.get(address, headers={"Accept-Language": accepted})
    assert "Accept-Language" in response.headers["Vary"]
    language = re.search(r'<html lang="(\w+)"', response.text)
    texts = re.search(r'id="texts">(.+?)</script>', response.text)
    assert language
    assert texts
    return language[1], json.loads(texts[1])


@pytest.mark.parametrize(
    ("mapping", "accepted", "expected"),
    [
        ({"language": "de"}, "fr", "de"),
        ({}, "fr-CH, en;q=0.8", "fr"),
        ({"language": "it"}, "es-MX", "es"),  # a language without texts
        ({}, "ja", "en"),
    ],
)
def test_shoppers_pages_speak_as_the_catalogue_or_else_the_visitor(
    shop: Shop, mapping: dict[str, object], accepted: str, expected: str
) -> None:
    for address in ("/", "/try"):
        assert page(shop, address, mapping, accepted) == (expected, texts_of(expected))


@pytest.mark.parametrize("address", ["/admin", "/docs"])
def test_pages_for_operators_are_english_whoever_asks(shop: Shop, address: str) -> None:
    live = shop.versions.live()
    live.info = replace(live.info, mapping={"language": "de"})
    response = shop.client.get(address, headers={"Accept-Language": "fr"})
    assert '<html lang="en"' in response.text
    assert "Accept-Language" not in response.headers.get("Vary", "")


def test_the_fields_have_the_labels_of_the_mapping(shop: Shop) -> None:
    live = shop.versions.live()
    mapping = {
        "language": "de",
        "product": {"category": {"from": "art", "label": "Warengruppe"}, "price": "preis"},
        "fields": {"pattern": {"from": "muster", "type": "keyword", "label": "Muster"}},
    }
    live.info = replace(live.info, mapping=mapping)
    answer = shop.client.get("/v1/fields").get_json()
    labels = {field["name"]: field["label"] for field in answer["fields"] if field["label"]}
    assert (answer["language"], labels) == (
        "de",
        {"category": "Warengruppe", "pattern": "Muster"},
    )
