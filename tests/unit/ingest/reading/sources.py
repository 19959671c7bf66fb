"""Sources that do to the process that reads them what no source should."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.reading.outcomes import RowReading
from ingest.sources.ports import BrokenRow, LeftOutRow, Row
from tests.unit.ingest.catalogue import MAPPING

ENDLESS = 10**9


@dataclass(frozen=True)
class HostileSource:
    """`length` rows; when it comes to `row` it does what `deed` says.

    `folder` holds a file for each time that it was killed, and the number of rows read last.
    """

    folder: Path
    length: int = 300
    row: int = 200
    deed: str = "nothing"
    times: int = ENDLESS
    title: str = "thing"
    name: str = "hostile"

    def columns(self, needed: Collection[str]) -> Collection[str]:
        return ("id", "name", "image", "price", "color", "category")

    def deaths(self) -> int:
        return len(list(self.folder.glob("death-*")))

    def rows_read(self) -> int:
        return int((self.folder / "read").read_text() or 0)

    def rows(self) -> Iterator[Row | BrokenRow | LeftOutRow]:
        for number in range(self.length):
            if number == self.row:
                self._do()
            if self.length == ENDLESS:
                (self.folder / "read").write_text(str(number))
            values = {"id": f"p{number}", "name": self.title, "image": f"pictures/{number}.png"}
            yield Row(number, values, self.folder, f"entry {number + 1}")

    def _do(self) -> None:
        if self.deed == "hang":
            (self.folder / "hangs").touch()
            time.sleep(ENDLESS)
        if self.deed == "fail":
            raise ValueError("the row of all rows")
        if self.deed == "lose the disk":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if self.deed == "greed":
            bytes(10**11)
        if self.deed == "die" and self.deaths() < self.times:
            (self.folder / f"death-{os.getpid()}").touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def count(self) -> int | None:
        return None

    def share(self) -> float | None:
        return 0.5

    def notes(self) -> tuple[str, ...]:
        return ("guessed",)

    def detached(self) -> HostileSource:
        return self

    def reading(self) -> RowReading:
        return RowReading(self, MAPPING, 16, 8)  # type: ignore[arg-type]
