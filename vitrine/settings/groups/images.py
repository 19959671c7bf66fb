"""Where pictures are kept, and what one may cost."""

from __future__ import annotations

from pydantic import Field

from vitrine.settings.groups.data import DataSettings

__all__ = ["ImageSettings"]


class ImageSettings(DataSettings):
    """Where pictures are kept, and what one may cost."""

    image_store: str = Field(
        "", description="folder or fsspec URL of the image store; empty: DATA_DIR/images"
    )
    max_image_mb: float = Field(20, gt=0, le=1024, description="size of one image file")
    max_image_side: int = Field(
        30_000, ge=64, le=1_000_000, description="longest side of one image in pixels"
    )
    decode_budget_mb: float = Field(
        256, ge=16, le=65_536, description="memory of all pictures that are decoded at once"
    )
    max_image_megapixels: float = Field(64, gt=0, le=178, description="width x height of one image")
    photo_hours: float = Field(
        24, gt=0, le=8760, description="hours for which a photo sent to /v1/pictures is kept"
    )
    max_photos_mb: float = Field(
        512, gt=0, le=1_000_000, description="size of all such photos together; the oldest go first"
    )
