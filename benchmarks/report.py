"""The one table that all benchmarks fill, on the screen and as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["Figure", "Report", "median", "percentile", "spread"]


@dataclass(frozen=True)
class Figure:
    """One measured number: `target` is what the project asks of it, `beside` are floors and rivals of the same run, in the same unit."""

    name: str
    value: float
    unit: str
    target: str = ""
    met: bool | None = None
    beside: dict[str, float] = field(default_factory=dict)
    note: str = ""


class Report:
    """Collects figures, prints each as it comes, writes all of them."""

    def __init__(self) -> None:
        self.figures: list[Figure] = []

    def add(self, figure: Figure) -> None:
        """Take a figure and print its line."""
        self.figures.append(figure)
        verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
        beside = ", ".join(f"{name} {value:,.4g}" for name, value in figure.beside.items())
        print(
            f"{figure.name:<58} {figure.value:>10,.4g} {figure.unit:<8} {figure.target:<12} {verdict:<7} {beside}  {figure.note}",
            flush=True,
        )

    def markdown(self) -> str:
        """The table for a README."""
        rows = ["| figure | value | target | | beside it in the same run |", "|-|-|-|-|-|"]
        for f in self.figures:
            beside = ", ".join(f"{name} {value:,.4g}" for name, value in f.beside.items())
            verdict = {True: "met", False: "**missed**", None: ""}[f.met]
            rows.append(f"| {f.name} | {f.value:,.4g} {f.unit} | {f.target} | {verdict} | {beside}{'; ' + f.note if f.note else ''} |")
        return "\n".join(rows)

    def write(self, path: Path, *, quick: bool) -> None:
        """All figures with date and machine, as JSON."""
        machine = {"processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
        when = datetime.now(UTC).isoformat(timespec="seconds")
        path.write_text(
            json.dumps({"date": when, "machine": machine, "quick": quick, "figures": [asdict(f) for f in self.figures]}, indent=2) + "\n"
        )


def _processor() -> str:
    names = [line.split(":", 1)[1].strip() for line in _cpuinfo() if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]


def spread(values: Sequence[float]) -> str:
    """Smallest and largest value, for a note."""
    return f"{min(values):,.4g} to {max(values):,.4g} in {len(values)} rounds"
