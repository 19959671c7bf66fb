"""Libraries that come with an extra of the package: where one is missing, the sentence that
names what to install."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from vitrine.errors import VitrineError

__all__ = ["Extra", "needs"]

Extra = Literal["models", "catalogues", "evaluation", "demo", "ray"]


@contextmanager
def needs(extra: Extra, purpose: str) -> Iterator[None]:
    """Wraps the import of an extra's libraries: `VitrineError` says what `purpose` lacks where
    one is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise VitrineError(
            f"{purpose} needs {error.name}, which is not installed here; install it with: "
            f"pip install 'vitrine[{extra}]' (in Docker: use the full image, vitrine:local)"
        ) from error
