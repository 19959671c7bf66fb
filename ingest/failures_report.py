"""The failure ledger as text, JSON lines and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

from ingest.failures import Failure, Ledger, remedy_of

__all__ = ["csv_report", "json_report", "text_report"]

_PAGE = 1000
_COLUMNS = ("kind", "reason", "place", "id", "message", "remedy", "count", "source", "at")


def text_report(
    ledger: Ledger, *, source: str | None, reason: str | None, limit: int
) -> Iterator[str]:
    """The failures of each reason with its remedy, the first ones of each, then the warnings."""
    for group in ledger.groups(source=source):
        if reason not in (None, group.reason):
            continue
        yield f"{group.reason}: {group.count}"
        yield f"  what to do: {group.remedy}"
        entries, _ = ledger.entries(limit=limit, source=source, reason=group.reason)
        for failure in entries:
            yield f"  {_where(failure)}  {failure.message}"
        if group.count > len(entries):
            yield f"  and {group.count - len(entries)} more"
    warnings, total = ledger.warnings(limit=limit, source=source)
    if reason is None and warnings:
        yield f"warnings: {total}"
        for warning in warnings:
            where = f"{warning.place} {warning.id}".strip()
            times = f" ({warning.count} products)" if warning.count > 1 else ""
            yield f"  {where}  {warning.message}{times}".rstrip()
        if total > len(warnings):
            yield f"  and {total - len(warnings)} more"


def json_report(ledger: Ledger, *, source: str | None, reason: str | None) -> Iterator[str]:
    """Each failure as an object on its own line."""
    names = ("id", "row", "place", "stage", "reason", "message", "source")
    for failure in _all(ledger, source, reason):
        values = {name: getattr(failure, name) for name in names}
        yield json.dumps({**values, "at": failure.at.isoformat()}, ensure_ascii=False)


def csv_report(ledger: Ledger, *, source: str | None, reason: str | None) -> Iterator[str]:
    """Failures and warnings as a table for a spreadsheet."""
    yield _line(_COLUMNS)
    for failure in _all(ledger, source, reason):
        yield _line(
            (
                "failure",
                failure.reason,
                failure.place,
                failure.id,
                failure.message,
                remedy_of(failure.reason),
                1,
                failure.source,
                failure.at.isoformat(),
            )
        )
    warnings, _ = ledger.warnings(limit=100_000, source=source)
    for warning in warnings if reason is None else ():
        yield _line(
            (
                "warning",
                warning.reason,
                warning.place,
                warning.id,
                warning.message,
                "",
                warning.count,
                warning.source,
                warning.at.isoformat(),
            )
        )


def _all(ledger: Ledger, source: str | None, reason: str | None) -> Iterator[Failure]:
    offset = 0
    while True:
        entries, _ = ledger.entries(limit=_PAGE, offset=offset, source=source, reason=reason)
        if not entries:
            return
        yield from entries
        offset += len(entries)


def _where(failure: Failure) -> str:
    places = [failure.place] if failure.place else []
    return "  ".join([*places, failure.id] if failure.id != failure.place else places)


def _line(values: tuple[object, ...]) -> str:
    """One line of CSV; what a spreadsheet would take for a formula is quoted as text (OWASP)."""
    texts = [str(value) for value in values]
    safe = [f"'{text}" if text.startswith(("=", "+", "-", "@")) else text for text in texts]
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(safe)
    return out.getvalue()
