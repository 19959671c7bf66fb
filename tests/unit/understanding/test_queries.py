"""Hundreds of queries in four languages mean what their shoppers mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.understanding.shops import SCHEMA, reader_of
from vitrine.filters import parse_filter
from vitrine.understanding import Understanding

FOLDER = Path(__file__).parent / "queries"
_PRICES = {"<": "lt", "<=": "lte", ">": "gt", ">=": "gte"}


@dataclass(frozen=True)
class QueryCase:
    """A query, the filters it means in the API's form, and the texts it pushes away."""

    text: str
    filters: list[dict[str, object]]
    negatives: list[str]


def _meaning(part: str) -> dict[str, object]:
    if part in ("stock", "sold_out"):
        return {"in_stock": part == "stock"}
    if between := re.fullmatch(r"price=(.+)\.\.(.+)", part):
        return {"price": {"gte": float(between[1]), "lte": float(between[2])}}
    if price := re.fullmatch(r"price(<=|>=|<|>)(.+)", part):
        return {"price": {_PRICES[price[1]]: float(price[2])}}
    field, _, value = part.removeprefix("not ").partition("=")
    meant = {field: value.split(",") if "," in value else value}
    return {"not": meant} if part.startswith("not ") else dict(meant)


def queries(code: str) -> list[QueryCase]:
    lines = [
        line
        for line in (FOLDER / f"{code}.txt").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    cases = []
    for line in lines:
        text, _, meaning = line.rpartition(" | ")
        parts = [part.strip() for part in meaning.split(";") if part.strip() != "nothing"]
        texts = [part.removeprefix("neg: ") for part in parts if part.startswith("neg: ")]
        cases.append(
            QueryCase(text, [_meaning(p) for p in parts if not p.startswith("neg: ")], texts)
        )
    return cases


def _says(case: QueryCase, read: Understanding) -> bool:
    def in_order(filters: list[object]) -> list[str]:
        return sorted(map(repr, filters))

    return (
        in_order([parse_filter(f, SCHEMA) for f in case.filters])
        == in_order([parse_filter(dict(f), SCHEMA) for f in read.filters])
        and list(read.negatives) == case.negatives
    )


def _hides(case: QueryCase, read: Understanding) -> bool:
    """Whether a filter was read that the shopper did not mean."""
    meant = [parse_filter(f, SCHEMA) for f in case.filters]
    return any(parse_filter(dict(f), SCHEMA) not in meant for f in read.filters)


LANGUAGES = ("en", "de", "fr", "es")


def test_there_are_four_hundred_queries():
    assert sum(len(queries(code)) for code in LANGUAGES) >= 400


@pytest.mark.parametrize("code", LANGUAGES)
def test_all_queries_are_exactly_understood(code: str):
    wrong = [
        f"{case.text!r}: {read.filters} {read.negatives}, left {read.words!r}"
        for case in queries(code)
        if not _says(case, read := reader_of(code).read(case.text))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("code", LANGUAGES)
def test_no_query_hides_what_its_shopper_wants(code: str):
    wrong = [
        f"{case.text!r}: {read.filters}"
        for case in queries(code)
        if _hides(case, read := reader_of(code).read(case.text))
    ]
    assert wrong == []
