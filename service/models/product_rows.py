"""Products as the admin API takes them: whole rows, and changes of some fields."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, RootModel, Tag, model_validator

from service.models.base import Body, Incoming, Parameters, Text
from service.models.picture import ImageSource, StoredImage

__all__ = ["Changes", "DeleteParameters", "ProductRow", "ProductRows"]

URL, STORED, SENT = "<url>", "<stored>", "<sent>"
"""Tags of the forms of a picture; the brackets keep them out of error messages."""


def _form_of_picture(value: Any) -> str | None:
    if isinstance(value, str):
        return URL
    if isinstance(value, StoredImage) or (isinstance(value, dict) and "key" in value):
        return STORED
    return SENT if isinstance(value, dict | ImageSource) else None


RowImage = Annotated[
    Annotated[Text, Tag(URL)]
    | Annotated[StoredImage, Tag(STORED)]
    | Annotated[ImageSource, Tag(SENT)],
    Discriminator(
        _form_of_picture,
        custom_error_type="image_type",
        custom_error_message="must be a URL, or an object with base64, url or key",
    ),
]
RowImages = Annotated[list[RowImage], Field(min_length=1)]
PICTURES = (
    "the product's pictures, the main one first, each as `image` takes it; pictures that it has "
    "already are not embedded again"
)


class ProductRow(Body):
    """A product to insert or replace; further keys are fields of the catalogue."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "id": "p1",
                "title": "Red dress",
                "price": 49.9,
                "image": {"url": "https://shop.example/p1.jpg"},
            }
        },
    )

    id: Text = Field(min_length=1, max_length=512)
    title: Text = Field(min_length=1)
    image: RowImage | None = Field(
        default=None,
        description="its one picture: a URL, base64, or the key of a picture that is there; "
        "without one a known product keeps its pictures",
    )
    images: RowImages | None = Field(default=None, description=PICTURES)

    @model_validator(mode="after")
    def _either(self) -> Self:
        if self.image is not None and self.images is not None:
            raise ValueError("give image or images, not both")
        return self


class ProductRows(RootModel[Annotated[list[ProductRow], Field(min_length=1)]], Incoming):
    """Products to insert or replace."""


class Changes(Body):
    """Fields and their new values, null empties a field; and the product's pictures."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {"price": 39.9, "in_stock": False},
            "minProperties": 1,
            "additionalProperties": True,
        },
    )

    images: RowImages | None = Field(default=None, description=PICTURES)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set and not self.model_extra:
            raise ValueError("changes nothing; name at least one field")
        if "images" in self.model_fields_set and self.images is None:
            raise ValueError("images cannot be empty; a product keeps at least one picture")
        return self


class DeleteParameters(Parameters):
    """What becomes of the pictures of a product that is removed."""

    pictures: Literal["keep", "remove"] = Field(
        "keep",
        description="keep: until VITRINE_PICTURE_GRACE_HOURS after no version names them any more; "
        "remove: at once, unless another product shows them",
    )
