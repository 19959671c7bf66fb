"""Vitrine: visual product search as a library.

>>> import vitrine
>>> with vitrine.open("data", model="bundled") as shop:  # doctest: +SKIP
...     shop.ingest([{"id": "1", "title": "Red mug", "image": "mug.jpg", "price": 9.90}])
...     shop.search("a red mug", filter={"price": {"lt": 20}}).hits[0].product.title
'Red mug'
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitrine.telemetry import switch_off

if TYPE_CHECKING:
    from vitrine.library import Shop

__all__ = ["open"]

switch_off()


def open(data_dir: str | Path = "data", **settings: Any) -> Shop:  # noqa: A001  # vitrine.open
    """A shop that ingests products and searches them; nothing heavy loads before it is needed.

    `settings` are those of docs/settings.md in lower case and without VITRINE_; the environment
    holds the others. `InvalidSettings` names what is wrong.
    """
    from vitrine.library import Shop
    from vitrine.settings import load_settings

    return Shop(load_settings(data_dir=Path(data_dir), **settings))
