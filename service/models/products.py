"""A product as the API shows it."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from service.models.base import Answer

__all__ = ["FieldAnswer", "FieldsAnswer", "ProductAnswer", "StoredProductAnswer"]


IMAGE_URL = "of a picture of the product; takes `size` as a further parameter for a thumbnail"


class ProductAnswer(Answer):
    """The fields of a product; those that the catalogue left empty are null or empty."""

    title: str
    price: float | None
    compare_at_price: float | None = Field(description="the price before a reduction")
    currency: str | None
    url: str | None = Field(description="the product's page in the shop")
    color: list[str] = Field(description="the colors as the shop wrote them")
    colors: list[str] = Field(description="their families")
    category: list[str]
    description: str | None
    brand: str | None
    in_stock: bool | None
    group_id: str | None
    codes: list[str] = Field(description="what clerks and customers type: SKU, EAN, MPN")
    attributes: dict[str, str | float | bool | datetime | list[str]] = Field(
        description="the catalogue's further fields"
    )


class StoredProductAnswer(Answer):
    """One product of the live version."""

    id: str
    product: ProductAnswer
    image_url: str = Field(description=IMAGE_URL)
    images: list[str] = Field(description="of all its pictures, the main one first")


class FieldAnswer(Answer):
    """A field of the catalogue and what it is good for."""

    name: str
    label: str | None = Field(description="what people call it, where the mapping says so")
    type: str
    facet: bool
    sortable: bool


class FieldsAnswer(Answer):
    """The fields of the live catalogue, and its size."""

    version: str
    language: str | None = Field(description="of the texts, where the mapping says so")
    fields: list[FieldAnswer]
    products: int = Field(description="how many the catalogue has")
    max_candidates: int = Field(description="how many products one search may rank at most")
