"""Readers of single values."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from vitrine.fields import parse_bool, parse_datetime, parse_keywords, parse_paths, parse_text
from vitrine.fields.stock import parse_stock


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (" Mug ", "Mug"),
        (42, "42"),
        (42.0, "42"),
        (4.5, "4.5"),
        (Decimal("7.00"), "7"),
        ("🧦" * 5000, "🧦" * 5000),
    ],
)
def test_text_is_trimmed_and_numbers_are_written_plainly(raw: object, text: str) -> None:
    assert parse_text(raw) == text


@pytest.mark.parametrize(
    "raw", [True, ["a"], {"a": 1}, b"x", None, float("nan"), "a\x00b", "\ud800", "x" * 100_001]
)
def test_what_is_no_text_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match=r"must be text|NaN|character"):
        parse_text(raw)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("Color-Blocked", ("Color-Blocked",)),
        ("Cotton, Wool", ("Cotton, Wool",)),
        (["Cotton", "Wool", "Cotton", "", None], ("Cotton", "Wool")),
        ('["Cotton", "Wool"]', ("Cotton", "Wool")),
        ("[unfinished", ("[unfinished",)),
        (5, ("5",)),
        (True, ("true",)),
        ([], ()),
    ],
)
def test_keywords_come_from_text_or_lists(raw: object, words: tuple[str, ...]) -> None:
    assert parse_keywords(raw) == words


@pytest.mark.parametrize(
    ("raw", "paths"),
    [
        ("Men/Tops/Jackets", ("Men/Tops/Jackets",)),
        (" /Men / Tops/ ", ("Men/Tops",)),
        ("Apparel > Shirts & Tops > Tees", ("Apparel/Shirts & Tops/Tees",)),
        (["Men/Tops", "Men//Tops", "Sale"], ("Men/Tops", "Sale")),
        ("Men » Tops", ("Men/Tops",)),
        ("Men › Tops → Tees", ("Men/Tops/Tees",)),
        ("Shirts, Blouses", ("Shirts, Blouses",)),
        ("/", ()),
    ],
)
def test_category_paths_are_normalised(raw: object, paths: tuple[str, ...]) -> None:
    assert parse_paths(raw) == paths


@pytest.mark.parametrize(
    ("raw", "truth"),
    [
        (True, True),
        ("Yes", True),
        (" on ", True),
        (1, True),
        (1.0, True),
        ("0", False),
        ("FALSE", False),
        (0, False),
        ("Ja", True),
        ("oui", True),
        ("não", False),
        ("いいえ", False),
    ],
)
def test_truth_is_read_from_words_and_digits(raw: object, truth: bool) -> None:
    assert parse_bool(raw) is truth


@pytest.mark.parametrize("raw", ["maybe", 2, -1, "", None, float("nan"), ["true"]])
def test_what_is_no_truth_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match="neither yes nor no"):
        parse_bool(raw)


@pytest.mark.parametrize(
    ("raw", "available"),
    [
        ("in stock", True),
        ("Sold out", False),
        ("https://schema.org/OutOfStock", False),
        (12, True),
        (0, False),
        (-1, False),
        ("7", True),
        ("10+", True),
        ("FALSCH", False),
        ("> 5", True),
        ("no", False),
    ],
)
def test_stock_is_read_from_counts_and_shop_words(raw: object, available: bool) -> None:
    assert parse_stock(raw) is available


@pytest.mark.parametrize(
    "raw",
    [
        "2026-01-31T12:00:00+00:00",
        "2026-01-31T12:00:00Z",
        "2026-01-31 12:00",
        "2026-01-31T14:00:00+02:00",
        datetime(2026, 1, 31, 12),
        datetime(2026, 1, 31, 14, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_times_become_utc(raw: object) -> None:
    assert parse_datetime(raw) == datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_a_date_is_its_midnight_in_utc() -> None:
    assert (
        parse_datetime(date(2026, 1, 31))
        == parse_datetime("2026-01-31")
        == datetime(2026, 1, 31, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    "raw",
    ["31.13.2026", "01/02/2026", "yesterday", 1_700_000_000, True, "0001-01-01T00:00:00+14:00"],
)
def test_what_is_no_time_is_refused(raw: object) -> None:
    with pytest.raises(ValueError, match=r"is not a time|outside the years"):
        parse_datetime(raw)
