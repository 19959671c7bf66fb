"""Where products' pictures come from, and their bytes."""

from ingest.pictures.naming import Picture, picture_of, pictures_of

__all__ = ["Picture", "picture_of", "pictures_of"]
