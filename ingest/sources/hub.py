"""Data sets of the Hugging Face hub, and local folders laid out like one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from ingest.sources.hf_datasets import streamed
from ingest.sources.ports import BrokenRow, LeftOutRow, Row
from vitrine.errors import InvalidInput

__all__ = ["HubSource"]


class HubSource:
    """All splits of a data set, streamed one after the other; pictures stay the bytes they are.

    `base` is where relative paths begin: the folder of a local data set, None for one of the hub.
    """

    def __init__(self, name: str, data_dir: Path, *, base: Path | None = None) -> None:
        self._name = name
        self._data_dir = data_dir
        self._base = base
        self._loaded: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """The data set's name, or the folder's absolute path."""
        return self._name

    def columns(self, needed: Collection[str]) -> Collection[str]:
        """The columns that the data set declares, else those of its first row."""
        split = next(iter(self._splits().values()))
        return tuple(split.column_names or next(iter(split), {}))

    def count(self) -> int | None:
        """The rows that the data set's card counts."""
        counts = []
        for name, split in self._splits().items():
            declared = (split.info.splits or {}).get(name)
            counts.append(declared.num_examples if declared else None)
        return None if None in counts else sum(c for c in counts if c is not None) or None

    def share(self) -> float | None:
        """Unknown."""
        return None

    def notes(self) -> tuple[str, ...]:
        """Nothing is guessed."""
        return ()

    def detached(self) -> None:
        """The library that streams it, and its hundreds of megabytes, are loaded here already."""
        return None

    def rows(self) -> Iterator[Row | BrokenRow | LeftOutRow]:
        """The rows of all splits, numbered throughout.

        A part that cannot be read further ends it with a broken row.
        """
        number = 0
        for name, split in self._splits().items():
            rows = iter(split)
            while True:
                try:
                    values = next(rows)
                except StopIteration:
                    break
                except Exception as error:  # each format of the library has its own errors
                    message = f"the split {name} cannot be read further: {_one_line(error)}"
                    yield BrokenRow(number, message, f"row {number + 1}")
                    number += 1
                    break
                yield Row(number, values, self._base, f"row {number + 1}")
                number += 1

    def _splits(self) -> dict[str, Any]:
        if self._loaded is None:
            try:
                splits = streamed(self._name, data_dir=self._data_dir)
            except Exception as error:  # not found, gated, no network: each has its own type
                raise InvalidInput.of("source", self._unavailable(error)) from None
            self._loaded = {name: _undecoded(split) for name, split in splits.items()}
        return self._loaded

    def _unavailable(self, error: Exception) -> str:
        reason = _one_line(error)
        if self._base is not None:
            return (
                f"the folder {self._name} holds neither images nor data files "
                f"that can be read: {reason}"
            )
        return (
            f"there is no file or folder {self._name!r}, and the data set of that name cannot be "
            f"had from the hub ({reason}). Check the name; where the hub cannot be reached, "
            "download the data set elsewhere and give its folder"
        )


def _undecoded(split: Any) -> Any:
    """The split with pictures as bytes, read one row group at a time.

    So a broken picture cannot end the stream.
    """
    import datasets

    split = split.reshard()
    for column, feature in (split.features or {}).items():
        if isinstance(feature, datasets.Image):
            split = split.cast_column(column, datasets.Image(decode=False))
    return split


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
