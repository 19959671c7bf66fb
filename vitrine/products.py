"""What a shop sells: a product and its record in an index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["TUPLE_FIELDS", "Product", "Record", "Value", "Vector", "record_batches"]

Value: TypeAlias = str | float | bool | datetime | tuple[str, ...]
"""What a field holds.

Text or keyword, number or money, truth, point in time (aware, UTC), or several keywords.
"""

Vector: TypeAlias = NDArray[np.float32]

_BATCH_COMPONENTS = 1_000_000
"""Components of vectors in a batch of records: 4 MB packed, some 22 MB as JSON.

Qdrant takes 32 MB in a request over HTTP (`service.max_request_size_mb`).
"""


@dataclass(frozen=True, slots=True)
class Product:
    """One thing a shopper can find.

    `color` is the color as the shop wrote it, `colors` its families (`vitrine.fields.colors`).
    `compare_at_price` is the price before a reduction, `url` the product's page in the shop,
    `codes` what clerks and customers type (SKU, EAN, MPN). `category` holds paths such as
    "Men/Tops/Jackets". `attributes` holds the mapping's further fields, already of their type.
    Fields that the catalogue left empty are None or ().
    """

    id: str
    title: str
    price: float | None = None
    compare_at_price: float | None = None
    currency: str | None = None
    url: str | None = None
    color: tuple[str, ...] = ()
    colors: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    description: str | None = None
    brand: str | None = None
    in_stock: bool | None = None
    group_id: str | None = None
    codes: tuple[str, ...] = ()
    attributes: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle, which takes no read-only mapping, nor slots without code in Python."""
        *values, attributes = (getattr(self, name) for name in self.__slots__)
        return _unpickled, (tuple(values), dict(attributes))

    def value(self, name: str) -> Value | None:
        """The value of a built-in field or attribute; None where the product has none.

        >>> Product(id="1", title="Mug", price=4.0).value("price")
        4.0
        """
        value: Any = self.attributes.get(name) if name not in _BUILT_IN else getattr(self, name)
        return None if value == () else value


def _unpickled(values: Iterable[Any], attributes: Mapping[str, Value]) -> Product:
    return Product(*(*values, MappingProxyType(attributes)))


TUPLE_FIELDS = tuple(f.name for f in fields(Product) if f.default == ())
"""Fields of which a product may have several values; empty they are ()."""

_BUILT_IN = frozenset(
    (
        "id",
        "title",
        "price",
        "compare_at_price",
        "currency",
        "url",
        "color",
        "colors",
        "category",
        "description",
        "brand",
        "in_stock",
        "group_id",
        "codes",
    )
)


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A product as an index version keeps it.

    `vectors` (pictures, dimension) holds a unit-length float32 row for each picture, the main one
    first. `image_keys`, of the same length, address the pictures in the image store; a key is the
    SHA-256 of the picture's bytes, so an unchanged key needs no new vector. `text_vector`
    (dimension,) is the unit row of the product's words, where the version keeps one.
    """

    product: Product
    vectors: NDArray[np.float32]
    image_keys: tuple[str, ...]
    text_vector: Vector | None = None

    @classmethod
    def of_picture(cls, product: Product, vector: Vector, image_key: str) -> Record:
        """The record of a product with one picture."""
        return cls(product, vector[None], (image_key,))

    @property
    def vector(self) -> Vector:
        """The row of the main picture."""
        vector: Vector = self.vectors[0]
        return vector

    @property
    def image_key(self) -> str:
        """The key of the main picture."""
        return self.image_keys[0]


def record_batches(records: Iterable[Record], *, most: int) -> Iterator[list[Record]]:
    """The records in their order, at most `most` a batch, and no more than one request can carry.

    A record that is larger than that is a batch of its own.
    """
    batch: list[Record] = []
    size = 0
    for record in records:
        text = record.text_vector
        components = record.vectors.size + (0 if text is None else text.size)
        if batch and (len(batch) == most or size + components > _BATCH_COMPONENTS):
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += components
    if batch:
        yield batch
