"""What holds of versions in every backend: their names, what is refused, which are too many.

Names sort by the time of creation and name the model.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

from vitrine.errors import Conflict, NoLiveVersion, NotFound

__all__ = [
    "discard_surplus",
    "is_version_name",
    "nothing_live",
    "still_building",
    "still_live",
    "unknown_version",
    "version_name",
]

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


def nothing_live() -> NoLiveVersion:
    """The error before the first publish."""
    return NoLiveVersion(
        "no index version is live; run `vitrine ingest`, or publish one of those that"
        " `vitrine versions` lists"
    )


def still_building(name: str) -> Conflict:
    """The error for a version that is published before it is complete."""
    return Conflict(f"version {name} is still being built; it can be published once it is complete")


def still_live(name: str) -> Conflict:
    """The error for a live version that is to be discarded."""
    return Conflict(f"version {name} is live; publish another one first")


def discard_surplus(
    ready: Sequence[str], discard: Callable[[str], None], *, keep: int, spare: str | None
) -> list[str]:
    """Discard what `IndexVersions.prune` has to; the names of what is gone now.

    `ready` are the names of versions that are neither building nor live, newest first.
    """
    others = [name for name in ready if name != spare]
    gone = []
    for name in others[max(0, keep - (len(ready) - len(others))) :]:
        try:
            discard(name)
        except (NotFound, Conflict):
            continue  # another process discarded or published it
        gone.append(name)
    return gone
