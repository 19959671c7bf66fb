"""Parquet files."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from ingest.sources.ports import Record
from vitrine.errors import InvalidInput
from vitrine.extras import needs

__all__ = ["ParquetReader"]

_BATCH = 16
"""Rows read at once: they may hold pictures."""
_BUFFER = 1 << 20


class ParquetReader:
    """A Parquet file, read by pyarrow in small batches.

    Not through `datasets`, which reads ahead over all row groups: streaming 5,000 rows of 100 kB
    (row groups of 10 MB) took it 980 MB (485 MB resharded by row group), and this 220 MB. At least
    one row group's pages stay in memory at a time.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def columns(self, needed: Collection[str]) -> Collection[str]:
        """The schema's names."""
        return tuple(self._open().schema_arrow.names)

    def count(self) -> int | None:
        """The rows that the file's footer counts."""
        return self._rows

    def share(self) -> float | None:
        """Unknown: the rows are counted."""
        return None

    def notes(self) -> tuple[str, ...]:
        """Nothing: the file says all of itself."""
        return ()

    def records(self) -> Iterator[Record]:
        """The rows; a damaged part of the file ends it with a broken row."""
        import pyarrow as pa

        file = self._open()
        batches = file.iter_batches(_BATCH, use_threads=False)
        number = 0
        while True:
            try:
                rows = next(batches).to_pylist()
            except StopIteration:
                return
            except (pa.ArrowException, OSError, ValueError) as error:
                message = f"the file is damaged from here on: {error}"
                yield Record(f"row {number + 1}", error=message)
                return
            for values in rows:
                number += 1
                yield Record(f"row {number}", values)

    @cached_property
    def _rows(self) -> int:
        return int(self._open().metadata.num_rows)

    def _open(self) -> Any:
        with needs("catalogues", "reading Parquet"):
            import pyarrow as pa
            import pyarrow.parquet as pq

        try:
            return pq.ParquetFile(self._path, pre_buffer=False, buffer_size=_BUFFER)
        except (pa.ArrowException, OSError) as error:
            raise InvalidInput.of(
                "source", f"{self._path} cannot be read as Parquet: {error}"
            ) from None
