"""Memory of a version's word index: what a process holds of it, and the files that it maps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.report import Figure, Report
from vitrine.freed_memory import give_back_freed_memory
from vitrine.index.faiss import open_versions
from vitrine.index.faiss.columns.layout import EXACT, WORDS
from vitrine.lexicon import Lexicons
from vitrine.settings import Settings
from vitrine.storage.array_file import map_arrays

__all__ = ["add_word_memory", "mapped_bytes", "own_mb"]


def add_word_memory(report: Report, folder: Path, case: str, size: int) -> None:
    """Add the memory of the words and exact keys of the live version in a data folder."""
    program = (
        "import sys;from pathlib import Path;from benchmarks.word_memory import own_mb\n"
        "print(own_mb(Path(sys.argv[1])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder)],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    own, mapped = float(done.stdout), mapped_bytes(folder) / 1e6
    beside = {"own": own, "of mapped files": mapped}
    note = f"{(own + mapped) * 1e6 / size:.0f} bytes a product, {mapped * 1e6 / size:.0f} mapped"
    report.add(Figure("word index", own + mapped, "MB", beside=beside, note=note, case=case))


def mapped_bytes(folder: Path) -> int:
    """Bytes of words and exact keys in the files of the one version in a data folder."""
    (columns,) = folder.glob("index/*/derived/*/columns.bin")
    arrays = map_arrays(columns)
    return sum(a.nbytes for key, a in arrays.items() if key.startswith((WORDS, EXACT)))


def own_mb(folder: Path) -> float:
    """Megabytes that are no file's and that this process needs for what reads, corrects and
    completes queries of the live version."""
    versions = open_versions(Settings(data_dir=folder))
    index = versions.live()
    index.count()
    before = _anonymous_mb()
    lexicon = Lexicons().of(index)
    if lexicon is None:
        raise SystemExit("the version whose words were to be measured has learned none")
    lexicon.reader.read("whitte jackett")
    lexicon.suggester.complete("whi")
    used = _anonymous_mb() - before
    versions.close()
    return used


def _anonymous_mb() -> float:
    give_back_freed_memory()
    status = Path("/proc/self/status").read_text("ascii")
    (line,) = [line for line in status.splitlines() if line.startswith("RssAnon:")]
    return int(line.split()[1]) * 1024 / 1e6
