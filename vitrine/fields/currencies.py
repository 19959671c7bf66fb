"""Currencies: ISO 4217 codes and the signs that shops write."""

from __future__ import annotations

__all__ = ["CODES", "SIGNS", "THREE_DECIMALS", "currency_code"]

_ISO_4217 = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP
    BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP
    GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR
    KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
    MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR
    SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS
    UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""

CODES = frozenset(_ISO_4217.split())

THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))
"""Currencies whose prices have three decimals (ISO 4217, minor unit 3)."""

SIGNS: dict[str, tuple[str, ...]] = {
    "€": ("EUR",),
    "£": ("GBP",),
    "$": ("USD", "AUD", "CAD", "NZD", "HKD", "SGD", "MXN", "ARS", "CLP", "COP", "TWD"),
    "us$": ("USD",),
    "u$s": ("USD",),
    "a$": ("AUD",),
    "au$": ("AUD",),
    "c$": ("CAD",),
    "ca$": ("CAD",),
    "nz$": ("NZD",),
    "hk$": ("HKD",),
    "s$": ("SGD",),
    "sg$": ("SGD",),
    "mx$": ("MXN",),
    "nt$": ("TWD",),
    "e£": ("EGP",),
    "s/": ("PEN",),
    "s/.": ("PEN",),
    "ksh": ("KES",),
    "r$": ("BRL",),
    "¥": ("JPY", "CNY"),
    "cn¥": ("CNY",),
    "jp¥": ("JPY",),
    "円": ("JPY",),
    "元": ("CNY",),
    "rmb": ("CNY",),
    "₹": ("INR",),
    "rs": ("INR", "PKR", "LKR", "NPR", "MUR"),
    "kr": ("", "SEK", "NOK", "DKK", "ISK"),
    "zł": ("PLN",),
    "kč": ("CZK",),
    "ft": ("HUF",),
    "lei": ("RON",),
    "лв": ("BGN",),
    "₽": ("RUB",),
    "руб": ("RUB",),
    "rur": ("RUB",),  # the code before 1998, which feeds still write
    "₴": ("UAH",),
    "₺": ("TRY",),
    "tl": ("TRY",),
    "₪": ("ILS",),
    "₩": ("KRW",),
    "원": ("KRW",),
    "฿": ("THB",),
    "บาท": ("THB",),
    "৳": ("BDT",),
    "грн": ("UAH",),
    "đ": ("VND",),
    "dong": ("VND",),
    "₫": ("VND",),
    "₱": ("PHP",),
    "rp": ("IDR",),
    "rm": ("MYR",),
    "₦": ("NGN",),
    "r": ("ZAR",),
    "fr": ("CHF",),
    "sfr": ("CHF",),
    "₸": ("KZT",),
    "د.إ": ("AED",),
    "ر.س": ("SAR",),
}
"""Sign (casefolded, without a final dot) -> the currencies it may stand for.

First the one it is read as; "" is none of them.
"""


def currency_code(value: object) -> str:
    """An ISO 4217 code from a code or an unambiguous sign; `ValueError` says what is allowed."""
    if isinstance(value, str):
        text = value.strip()
        if text.upper() in CODES:
            return text.upper()
        meant = SIGNS.get(text.casefold().rstrip("."), ())
        if len(meant) == 1:
            return meant[0]
    raise ValueError(
        f"{value!r} is not a currency; write its three-letter code, such as EUR, USD or INR"
    )
