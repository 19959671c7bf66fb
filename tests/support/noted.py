"""What a failed assertion was about, where random cases run in a loop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["noted"]


@contextmanager
def noted(**case: object) -> Iterator[None]:
    """Add the case to whatever assertion fails inside."""
    try:
        yield
    except AssertionError as error:
        error.add_note(", ".join(f"{name} {value}" for name, value in case.items()))
        raise
