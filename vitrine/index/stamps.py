"""A fingerprint of a product's fields, so that ingest can tell what has changed without comparing
values."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from vitrine.products import Product

__all__ = ["product_hash"]


def product_hash(product: Product) -> str:
    """SHA-256 (hex) over all fields of the product in canonical JSON.

    Equal products have equal hashes in every process.
    """
    fields = {name: getattr(product, name) for name in Product.__dataclass_fields__}
    fields["attributes"] = dict(product.attributes)
    text = json.dumps(
        fields, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=_plain
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not a value of a field")
