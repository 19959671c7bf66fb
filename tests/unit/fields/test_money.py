"""Prices in the notations that shops really use."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vitrine.fields import Money, parse_money
from vitrine.fields.currencies import CODES, SIGNS, THREE_DECIMALS
from vitrine.fields.numbers import DecimalMark, parse_number

READ = [
    (52.0, 52, None),
    (52, 52, None),
    (Decimal("52.50"), 52.5, None),
    ("52.0", 52, None),
    ("52.00", 52, None),
    ("₹1,099", 1099, "INR"),
    ("₹ 1,099.50", 1099.5, "INR"),
    ("₹1,09,999", 109999, "INR"),
    ("₹1,09,999.00", 109999, "INR"),
    ("12,34,567", 1234567, None),
    ("Rs. 499/-", 499, "INR"),
    ("Rs.499", 499, "INR"),
    ("Rs 1,299", 1299, "INR"),
    ("1.099,00 €", 1099, "EUR"),
    ("€1.099", 1099, "EUR"),
    ("0,99 €", 0.99, "EUR"),
    ("19,- €", 19, "EUR"),
    ("5,99 €*", 5.99, "EUR"),
    ("12€50", 12.5, "EUR"),
    ("EUR 12,50", 12.5, "EUR"),
    ("1\u00a0299,00 €", 1299, "EUR"),
    ("1\u202f299,00 €", 1299, "EUR"),
    ("US$ 1,234.50", 1234.5, "USD"),
    ("$19", 19, "USD"),
    ("$19 USD", 19, "USD"),
    ("$19 CAD", 19, "CAD"),
    ("A$ 12.00", 12, "AUD"),
    ("R$ 1.234,56", 1234.56, "BRL"),
    ("£5", 5, "GBP"),
    ("1 299,00 kr", 1299, None),
    ("49:-", 49, None),
    ("49 kr.", 49, None),
    ("CHF 1'299.–", 1299, "CHF"),
    ("CHF 1’299.50", 1299.5, "CHF"),
    ("Fr. 12.50", 12.5, "CHF"),
    ("¥12,000", 12000, "JPY"),
    ("￥１２，０００", 12000, "JPY"),
    ("12,000円", 12000, "JPY"),
    ("１２３．５０", 123.5, None),
    ("٥٢٫٥٠", 52.5, None),
    ("١٬٠٠٠", 1000, None),
    ("२५०", 250, None),
    ("129,99 zł", 129.99, "PLN"),
    ("1 299 ₽", 1299, "RUB"),
    ("536000 RUR", 536000, "RUB"),
    ("KWD 12.500", 12.5, "KWD"),
    ("1,234", 1234, None),
    ("1.234", 1234, None),
    ("1.234.567", 1234567, None),
    ("1,234,567.89", 1234567.89, None),
    ("0.999", 0.999, None),
    ("1234.567", 1234.567, None),
    ("19,9", 19.9, None),
    ("1.5", 1.5, None),
    (".99", 0.99, None),
    ("5.", 5, None),
    ("0", 0, None),
    ("  42 \n", 42, None),
    ("\u200f52\u200e", 52, None),
]

patient = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # a busy machine is slow


@pytest.mark.parametrize(("written", "amount", "currency"), READ)
def test_a_price_is_read_in_the_notation_it_is_written_in(
    written: object, amount: float, currency: str | None
) -> None:
    assert parse_money(written) == Money(amount, currency)


REFUSED = [
    ("free", "not a price"),
    ("price on request", "not a price"),
    ("N/A", "not a price"),
    ("Price: $20", "not a currency"),
    ("from 20 €", "lowest of several prices"),
    ("ab 5 €", "lowest of several prices"),
    ("À partir de 5 €", "lowest of several prices"),
    ("20 for 2", "no usual way|not a currency|not a number"),
    ("-5", "negative"),
    ("−5", "negative"),
    ("$-5", "negative"),
    ("-$5", "negative"),
    ("($5)", "negative"),
    ("5.00-", "negative"),
    ("2025-12-31", "a date, not a price"),
    ("1.2.25", "a date, not a price"),
    ("12/31/2025", "a date, not a price"),
    (-5, "negative"),
    ("10 - 20", "range"),
    ("10–20", "range"),
    ("$10-$20", "range"),
    ("₹499 – ₹999", "range"),
    (float("nan"), "not a finite number"),
    (float("inf"), "not a finite number"),
    ("NaN", "not a price"),
    ("inf", "not a price"),
    ("1e3", "not a currency|not a price"),
    ("1_000", "not a currency|not a price"),
    ("12.5.3", "no usual way"),
    ("1,23,45", "no usual way"),
    ("1.2345.678", "no usual way"),
    ("1 2", "no usual way"),
    ("12 1234", "no usual way"),
    ("1,234 567", "no usual way"),
    ("€5 $6", "not a currency|no usual way"),
    ("5 € USD", "not a currency"),
    ("EUR 5 USD", "two currencies"),
    (True, "not a number"),
    ([5], "not a number"),
    ({"amount": 5}, "several parts; name the one that is meant by a path"),
    ("9" * 400, "too long"),
    (10**400, "not a finite number"),
]


@pytest.mark.parametrize(("written", "reason"), REFUSED)
def test_what_is_no_single_price_is_refused_with_the_reason(written: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_money(written)


def test_the_catalogues_currency_settles_what_a_sign_means() -> None:
    assert parse_money("$5", currency="CAD").currency == "CAD"
    assert parse_money("¥50", currency="CNY").currency == "CNY"
    assert parse_money("5 kr", currency="SEK").currency == "SEK"
    assert parse_money("5", currency="SEK").currency == "SEK"
    assert parse_money(5, currency="SEK").currency == "SEK"


def test_a_price_in_another_currency_than_the_catalogues_is_refused() -> None:
    with pytest.raises(ValueError, match="in EUR, but the catalogue's prices are in USD"):
        parse_money("5 €", currency="USD")


def test_a_declared_decimal_mark_settles_the_ambiguous_notation() -> None:
    assert parse_money("1.234", mark=".").amount == 1.234
    assert parse_money("1,234", mark=".").amount == 1234
    assert parse_money("1,234", mark=",").amount == 1.234
    assert parse_money("1.234", mark=",").amount == 1234
    with pytest.raises(ValueError, match="no usual way"):
        parse_money("12,50", mark=".")


@given(
    amount=st.decimals(0, 10**9, places=2).map(str),
    code=st.sampled_from(("", " EUR", " KWD", " XYZ")),
    currency=st.sampled_from((None, "EUR", "KWD")),
    mark=st.sampled_from((None, ".", ",")),
    factor=st.sampled_from((None, 0.01)),
)
def test_what_most_catalogs_write_is_read_at_once_to_the_same_price(
    amount: str, code: str, currency: str | None, mark: DecimalMark | None, factor: float | None
) -> None:
    """A blank before it is enough to take the general way."""

    def outcome(text: str) -> object:
        try:
            return parse_money(text, currency=currency, mark=mark, factor=factor)
        except ValueError as error:
            return str(error).replace("' ", "'")

    assert outcome(f"{amount}{code}") == outcome(f" {amount}{code}")


def test_signs_stand_for_known_currencies_only() -> None:
    assert {code for meant in SIGNS.values() for code in meant} - {""} <= CODES
    assert THREE_DECIMALS <= CODES


GROUPINGS = {
    "en": (",", "."),
    "de": (".", ","),
    "fr": ("\u202f", ","),
    "sv": ("\u00a0", ","),
    "ch": ("’", "."),
    "plain": ("", "."),
}


@patient
@given(
    cents=st.integers(0, 10**11),
    style=st.sampled_from(sorted(GROUPINGS)),
    sign=st.sampled_from(["€", "£", "₹", "USD", "CHF", "R$"]),
    before=st.booleans(),
    gap=st.sampled_from(["", " ", "\u00a0"]),
)
def test_every_usual_notation_of_an_amount_gives_that_amount(
    cents: int, style: str, sign: str, before: bool, gap: str
) -> None:
    group, point = GROUPINGS[style]
    digits = f"{cents // 100:,}".replace(",", group) + f"{point}{cents % 100:02d}"
    written = f"{sign}{gap}{digits}" if before else f"{digits}{gap}{sign}"
    assert parse_money(written).amount == cents / 100


@patient
@given(lakhs=st.integers(0, 10**12))
def test_indian_grouping_is_read(lakhs: int) -> None:
    digits = str(lakhs)
    head, tail = digits[:-3], digits[-3:]
    while head:
        head, tail = head[:-2], f"{head[-2:]},{tail}"
    assert parse_money(f"₹{tail}").amount == lakhs


@patient
@given(st.text(max_size=80) | st.text(alphabet="0123456789.,' -€$₹kr/", max_size=20))
def test_any_text_is_a_finite_price_or_refused(text: str) -> None:
    try:
        money = parse_money(text)
    except ValueError:
        return
    assert 0 <= money.amount < float("inf")
    assert money.currency is None or money.currency in CODES


@patient
@given(st.floats(0, 1e12, allow_nan=False))
def test_a_number_is_its_own_price(amount: float) -> None:
    assert parse_money(amount).amount == amount


@pytest.mark.parametrize(
    ("written", "number"), [("-5", -5), ("1,5", 1.5), ("-1.234,5", -1234.5), (-2, -2), ("7", 7)]
)
def test_a_number_may_be_negative(written: object, number: float) -> None:
    assert parse_number(written) == number


@pytest.mark.parametrize("written", ["", "12 cm", "--5", "NaN", float("nan"), False, None, "5-"])
def test_what_is_no_number_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is not a"):
        parse_number(written)
