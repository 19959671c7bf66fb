"""The port of all versions of a catalogue: they are created, published and discarded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from vitrine.fields.schema import Schema
from vitrine.index.fusion import SearchModel
from vitrine.index.ports.vector_index import VectorIndex
from vitrine.index.ports.version_info import VersionFilling, VersionInfo

__all__ = ["IndexVersions"]


class IndexVersions(Protocol):
    """All versions of one catalogue's index and the pointer to the live one."""

    def create(
        self,
        *,
        model: str,
        fingerprint: str,
        dimension: int,
        schema: Schema,
        mapping: Mapping[str, Any],
        text_vectors: bool = False,
    ) -> VectorIndex:
        """A new, empty version in state "building".

        Its name sorts by creation time and names the model. With `text_vectors` every record has
        one, without none has.
        """
        ...

    def open(self, name: str) -> VectorIndex:
        """Open a version by name; `NotFound` when there is none.

        Opening twice in a process may give the same object.
        """
        ...

    def live(self) -> VectorIndex:
        """The version that the pointer names now (cheap: called once per search).

        `NoLiveVersion` before the first publish.
        """
        ...

    def build_index(self, name: str, *, progress: Callable[[float], None] = lambda _: None) -> None:
        """Build what a version that has been filled lacks for fast searches, and wait for it.

        `progress` is told now and then which share is done (0 to 1), and may raise to give up;
        called again, it goes on. `complete` does the same without telling; nothing happens where it
        is done.
        """
        ...

    def complete(self, name: str, filling: VersionFilling | None = None) -> None:
        """Mark a building version as "ready": filled, as `filling` says, fit to be published."""
        ...

    def learn(self, name: str, model: SearchModel) -> None:
        """Give a version what was learned of it, in one step; all processes answer with it soon.

        `Conflict` for a version that keeps no words.
        """
        ...

    def publish(
        self, name: str, *, verify: Callable[[VectorIndex], None] | None = None
    ) -> str | None:
        """Make a ready (or earlier live) version the live one in one atomic step; returns the
        previous live name.

        `Conflict` for a version still building. `verify` runs first; when it raises, nothing
        changes.
        """
        ...

    def discard(self, name: str) -> None:
        """Delete a version and all it stored.

        `Conflict` for the live one, `NotFound` for an unknown one.
        """
        ...

    def list(self) -> list[VersionInfo]:
        """All versions, newest first, with their state and count."""
        ...

    def prune(self, *, keep: int, spare: str | None = None) -> Sequence[str]:
        """Discard ready versions but `keep` besides the live one; returns their names. Building
        ones stay.

        `spare` is kept first, even where `keep` is 0: the version that was live before, which some
        services may still answer with and which one goes back to. Then the newest.
        """
        ...

    def describe(self) -> Iterable[str]:
        """What an operator may want to know of the live version's storage, a line each."""
        ...

    def check(self) -> Iterable[str]:
        """What stands between this backend and an answer, one sentence with its remedy each.

        Empty when all is well.
        """
        ...

    def close(self) -> None:
        """Release files and connections; may be called twice."""
        ...
