"""The one table that all benchmarks fill, on the screen and as JSON."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

__all__ = ["Figure", "Report", "add_growth", "median", "percentile", "spread"]


@dataclass(frozen=True)
class Figure:
    """One measured number: `target` is what the project asks of it, `beside` are floors and rivals
    of the same run, in the same unit.

    `case` tells several figures of one name apart.
    """

    name: str
    value: float
    unit: str
    target: str = ""
    met: bool | None = None
    beside: dict[str, float] = field(default_factory=dict)
    note: str = ""
    case: str = ""

    @property
    def verdict(self) -> str:
        """Whether the target is met, in words."""
        return {True: "met", False: "missed", None: ""}[self.met]


class Report:
    """Collects figures, prints each as it comes, writes all of them."""

    def __init__(self) -> None:
        self.figures: list[Figure] = []

    def add(self, figure: Figure) -> None:
        """Take a figure and print its line."""
        self.figures.append(figure)
        beside = ", ".join(f"{name} {value:,.4g}" for name, value in figure.beside.items())
        name = f"{figure.name}, {figure.case}" if figure.case else figure.name
        print(
            f"{name:<58} {figure.value:>10,.4g} {figure.unit:<8} {figure.target:<12} "
            f"{figure.verdict.upper():<7} {beside}  {figure.note}",
            flush=True,
        )

    def markdown(self) -> str:
        """The tables for a README: figures on their own, then those of several cases with a
        column for each; names that share no case stand in tables of their own."""
        alone = [figure for figure in self.figures if not figure.case]
        tables = (
            [
                [
                    _row("figure", "value", "target", "", "beside it in the same run"),
                    "|-" * 5 + "|",
                    *map(_line, alone),
                ]
            ]
            if alone
            else []
        )
        for rows in self._tables():
            cases = list(dict.fromkeys(case for row in rows.values() for case in row))
            tables.append([_row("figure", "target", *cases), "|-" * (2 + len(cases)) + "|"])
            tables[-1] += [
                _row(
                    _with_unit(name, row),
                    next(iter(row.values())).target,
                    *(_cell(row.get(case)) for case in cases),
                )
                for name, row in rows.items()
            ]
        return "\n\n".join("\n".join(table) for table in tables)

    def _tables(self) -> list[dict[str, dict[str, Figure]]]:
        """Figures by name and case; names that share a case share a table."""
        rows: dict[str, dict[str, Figure]] = {}
        for figure in self.figures:
            if figure.case:
                rows.setdefault(figure.name, {})[figure.case] = figure
        tables: list[dict[str, dict[str, Figure]]] = []
        for name, row in rows.items():
            for table in tables:
                if any(row.keys() & other.keys() for other in table.values()):
                    table[name] = row
                    break
            else:
                tables.append({name: row})
        return tables

    def write(self, path: Path, *, quick: bool) -> None:
        """All figures with date and machine, as JSON."""
        machine = {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.platform(),
        }
        when = datetime.now(UTC).isoformat(timespec="seconds")
        path.write_text(
            json.dumps(
                {
                    "date": when,
                    "machine": machine,
                    "quick": quick,
                    "figures": [asdict(f) for f in self.figures],
                },
                indent=2,
            )
            + "\n"
        )


def add_growth(report: Report, name: str, values: Mapping[int, float]) -> None:
    """Add how a figure grows from each number of products to the next: 1 is in proportion to it,
    0 not at all."""
    for (less, before), (more, after) in pairwise(sorted(values.items())):
        exponent = math.log(after / before) / math.log(more / less)
        case = f"{less // 1000}k to {more // 1000}k"
        beside = {f"{less // 1000}k": before, f"{more // 1000}k": after}
        report.add(Figure(f"growth exponent: {name}", exponent, "", beside=beside, case=case))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _line(figure: Figure) -> str:
    beside = [f"{name} {value:,.4g}" for name, value in figure.beside.items()] + (
        [figure.note] if figure.note else []
    )
    verdict = f"**{figure.verdict}**" if figure.met is False else figure.verdict
    return _row(
        figure.name, f"{figure.value:,.4g} {figure.unit}", figure.target, verdict, ", ".join(beside)
    )


def _with_unit(name: str, row: dict[str, Figure]) -> str:
    unit = next(iter(row.values())).unit
    return f"{name}, {unit}" if unit else name


def _cell(figure: Figure | None) -> str:
    value = "" if figure is None else f"{figure.value:,.3g}"
    return f"**{value}** missed" if figure is not None and figure.met is False else value


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
