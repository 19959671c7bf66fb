"""Names of index versions: they sort by the time of creation and name the model.

And which of them are too many.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from vitrine.errors import NotFound

__all__ = ["is_version_name", "surplus", "unknown_version", "version_name"]

_NAME = re.compile(r"\d{8}T\d{9}Z-[a-z0-9-]{1,40}")
_STAMP = len("20261123T204500123Z")


def version_name(model: str, when: datetime, existing: Iterable[str]) -> str:
    """A name such as 20261123T204500123Z-clip-vit-base-patch32, later in order than every existing
    one.

    The time is UTC to the millisecond, pushed on where an existing name is as late (a clock may
    have been set back).
    """
    moment = when.astimezone(UTC).replace(microsecond=when.microsecond // 1000 * 1000)
    latest = max((name[:_STAMP] for name in existing if is_version_name(name)), default="")
    if _stamp(moment) <= latest:
        moment = datetime.strptime(latest + "+0000", "%Y%m%dT%H%M%S%fZ%z") + timedelta(
            milliseconds=1
        )
    return f"{_stamp(moment)}-{_slug(model)}"


def is_version_name(text: str) -> bool:
    """Whether `version_name` could have made it; such a name is safe as a folder's."""
    return _NAME.fullmatch(text) is not None


def surplus(ready: Sequence[str], *, keep: int, spare: str | None) -> list[str]:
    """Of names, newest first, those beyond the `keep` that stay: `spare` in any case, then the
    newest."""
    others = [name for name in ready if name != spare]
    return others[max(0, keep - (len(ready) - len(others))) :]


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%S}{moment.microsecond // 1000:03d}Z"


def _slug(model: str) -> str:
    words = re.sub(
        r"[^a-z0-9]+", "-", model.rstrip("/\\").replace("\\", "/").rpartition("/")[2].casefold()
    )
    return words[:40].strip("-") or "model"


def unknown_version(name: str) -> NotFound:
    """The error for a version that does not exist."""
    return NotFound(f"there is no version {name!r}; `vitrine versions` lists them")
