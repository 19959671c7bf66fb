"""The price of a sale counts only between its times."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from vitrine.fields import Mapping
from vitrine.fields.validity import is_valid

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "valid"),
    [
        ("", None, True),
        ("2026-06-15", "", True),
        ("2026-06-16", "", False),
        ("", "2026-06-15", True),  # all of its last day
        ("", "2026-06-14", False),
        ("2026-06-15T14:30+02:00", "2026-06-15 23:59:59", False),
        ("01.06.2026", "2026/06/30", True),
        ("6/14/26", "6/16/26, 12:00 AM", True),
        ("1/2/26", "3/4/27", True),  # either way
        ("7/6/26, 12:00 AM", "", False),
        (datetime(2026, 6, 1), datetime(2026, 6, 15, 11), False),
    ],
)
def test_a_sale_is_on_between_its_times(start: object, end: object, valid: bool) -> None:
    assert is_valid({"from": start, "to": end}, ("from", "to"), NOW) is valid


@pytest.mark.parametrize(
    ("interval", "valid"),
    [
        ("2026-06-01T00:00-0800/2026-07-01T00:00-0800", True),
        ("2026-05-01T00:00-0800/2026-06-01T00:00-0800", False),
        ("", True),
    ],
)
def test_an_interval_may_stand_in_one_cell(interval: str, valid: bool) -> None:
    assert is_valid({"dates": interval}, ("dates",), NOW) is valid


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ({"from": "soon", "to": ""}, "'soon' is not a time"),
        ({"from": "7/6/26", "to": ""}, "'7/6/26' may be two days"),
        ({"from": "13/13/26", "to": ""}, "'13/13/26' is not a time"),
        ({"from": "2026-06-01"}, "must be two times"),
    ],
)
def test_what_is_not_a_time_is_told(times: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        is_valid(times, tuple(times), NOW)


@pytest.mark.parametrize(
    ("mapping", "row"),
    [
        ("google", ("g:price", "g:sale_price", "g:sale_price_effective_date")),
        ("google", ("price", "sale_price", "sale_price_effective_date")),
        ("meta", ("price", "sale_price", "sale_price_effective_date")),
        ("woocommerce", ("Regular price", "Sale price", "Date sale price starts")),
        ("woocommerce", ("Tarif régulier", "Tarif promo", "Date de début de promo")),
        ("magento", ("price", "special_price", "special_price_from_date")),
    ],
)
def test_exports_say_when_a_sale_is_on(mapping: str, row: tuple[str, str, str]) -> None:
    regular, sale, times = row
    named = Mapping.load(mapping)
    known = {"id": "1", "sku": "1", "SKU": "1", "title": "Mug", "name": "Mug", "Name": "Mug"}
    one_cell = "effective" in times
    for date, price in {
        "2000-01-01": 4.0,
        "2900-01-01": 5.0,
        "": 4.0,
        "soon": 5.0,
    }.items():
        cell = f"{date}/2950-01-01" if one_cell and date else date
        taken = named.read_row({**known, regular: "5", sale: "4", times: cell}, 0)
        assert taken.product.price == price, date
        assert [w.field for w in taken.warnings] == ([times] if date == "soon" else [])
