"""`vitrine keys`: make search keys and list those that were made."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from filelock import FileLock

from service.search_keys import USE, SearchKey, parse_duration, parse_rate
from vitrine.errors import InvalidInput, InvalidSettings, NoLiveVersion
from vitrine.filters import parse_expression
from vitrine.settings import load_settings
from vitrine.signing import load_signer
from vitrine.storage.atomic import atomic_write
from vitrine.wiring import Vitrine

__all__ = ["keys"]

_FILE = "search-keys.json"
_LOCK_S = 10.0


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """What is remembered of a key: all but its signature, so the list lets nobody in."""

    id: str
    name: str
    filters: list[str]
    rate: float | None
    created: str
    expires: str | None


@click.group()
def keys() -> None:
    """Make search keys for shops, and list them.

    A key is signed: the service keeps none, and one that is given away holds until its time is
    over or VITRINE_SECRET_KEY (or DATA_DIR/secret.key) is another.
    """


@keys.command()
@click.option("--filter", "filters", multiple=True, help="What it may see, such as brand=Acme.")
@click.option("--rate", "rate_text", help="Requests it may send, such as 20/s or 100/m.")
@click.option("--expires", "span", help="How long it holds, such as 30d.")
@click.option("--name", default="", help="For whom it is; shown by `vitrine keys list`.")
def add(filters: tuple[str, ...], rate_text: str | None, span: str | None, name: str) -> None:
    """Make a key and print it; it is shown this once."""
    settings = load_settings()
    try:
        rate = None if rate_text is None else parse_rate(rate_text)
        lifetime = None if span is None else parse_duration(span)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    _check_filters(filters)
    now = datetime.now(UTC)
    key = _new_key(filters, rate, lifetime, now)
    expires = None if key.expires is None else key.expires.isoformat(timespec="seconds")
    created = now.isoformat(timespec="seconds")
    issued = IssuedKey(key.id, name, list(filters), rate, created, expires)
    _remember(settings.data_dir / _FILE, issued)
    click.echo(key.encode(load_signer(settings).for_use(USE)))


@keys.command("list")
def list_keys() -> None:
    """List the keys that were made here."""
    for key in _issued(load_settings().data_dir / _FILE):
        rate = "any rate" if key.rate is None else f"{key.rate:g}/s"
        parts = [key.id, key.name or "-", " and ".join(key.filters) or "everything", rate]
        click.echo("  ".join([*parts, f"until {key.expires}" if key.expires else "for ever"]))


def _new_key(
    filters: tuple[str, ...], rate: float | None, lifetime: timedelta | None, now: datetime
) -> SearchKey:
    expires = None if lifetime is None else now + lifetime
    return SearchKey(uuid.uuid4().hex[:8], filters, rate, expires)


def _check_filters(filters: tuple[str, ...]) -> None:
    """Refuse a filter that the live catalogue has no field for, if there is one."""
    if not filters:
        return
    try:
        schema = Vitrine(load_settings()).versions.live().info.schema
    except NoLiveVersion:
        click.echo("nothing is live yet: whether the filters fit is seen later", err=True)
        return
    for text in filters:
        try:
            parse_expression(text, schema)
        except InvalidInput as error:
            raise click.UsageError(f"--filter {text}: {error}") from None


def _issued(path: Path) -> list[IssuedKey]:
    if not path.exists():
        return []
    try:
        return [IssuedKey(**entry) for entry in json.loads(path.read_bytes())]
    except (ValueError, TypeError) as error:
        raise InvalidSettings.of(
            "VITRINE_DATA_DIR", f"{path} is damaged ({error}); keys hold, remove it to go on"
        ) from None


def _remember(path: Path, key: IssuedKey) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock", timeout=_LOCK_S):
        entries = [*_issued(path), key]
        fields = IssuedKey.__slots__
        rows = [{name: getattr(entry, name) for name in fields} for entry in entries]
        atomic_write(path, json.dumps(rows, indent=1).encode())
