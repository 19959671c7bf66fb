"""`vitrine keys`: create search keys, list and revoke them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import click

from service.issued_keys import IssuedKey, IssuedKeys
from service.search_keys import (
    LONGEST,
    PREFIX,
    USE,
    InvalidKey,
    SearchKey,
    parse_duration,
    parse_rate,
)
from vitrine.errors import InvalidInput, NoLiveVersion, NotFound
from vitrine.filters import parse_expression
from vitrine.settings import load_settings
from vitrine.signing import Signer, load_signer
from vitrine.wiring import Vitrine

__all__ = ["keys"]

_LONGEST_NAME = 100


@click.group()
def keys() -> None:
    """Create, list and revoke search keys for shops.

    A key is signed, so the service does not have to know it: it is valid until it expires, is
    revoked, or VITRINE_SECRET_KEY (or DATA_DIR/secret.key) changes.
    """


@keys.command()
@click.option("--filter", "filters", multiple=True, help="What it may see, such as brand=Acme.")
@click.option("--rate", "rate_text", help="Requests it may send, such as 20/s or 100/m.")
@click.option("--expires", "span", help="How long it is valid, such as 30d.")
@click.option("--name", default="", help="Whom it is for; shown by `vitrine keys list`.")
def add(filters: tuple[str, ...], rate_text: str | None, span: str | None, name: str) -> None:
    """Create a key and print it; it is shown only once."""
    settings = load_settings()
    try:
        rate = None if rate_text is None else parse_rate(rate_text)
        lifetime = None if span is None else parse_duration(span)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    _check_name(name)
    _check_filters(filters)
    now = datetime.now(UTC)
    key = _new_key(filters, rate, lifetime, now)
    text = key.encode(load_signer(settings).for_use(USE))
    if len(text) > LONGEST:
        raise click.UsageError(
            f"--filter: the key would have {len(text)} characters; allowed are {LONGEST}"
        )
    expires = None if key.expires is None else key.expires.isoformat(timespec="seconds")
    created = now.isoformat(timespec="seconds")
    issued = IssuedKey(key.id, name, list(filters), rate, created, expires)
    IssuedKeys(settings.data_dir).remember(issued)
    click.echo(text)


@keys.command("list")
def list_keys() -> None:
    """List the keys created on this data folder."""
    issued = list(IssuedKeys(load_settings().data_dir).entries())
    if not issued:
        click.echo("no keys", err=True)
    for key in issued:
        rate = "any rate" if key.rate is None else f"{key.rate:g}/s"
        parts = [key.id, key.name or "-", " and ".join(key.filters) or "everything", rate]
        validity = f"until {key.expires}" if key.expires else "no expiry"
        click.echo("  ".join([*parts, f"revoked {key.revoked}" if key.revoked else validity]))


@keys.command()
@click.argument("key")
def revoke(key: str) -> None:
    """Revoke a key: KEY is its id, as `vitrine keys list` shows it, or the whole key.

    Services on this data folder refuse it within a second. Those of other machines need its id in
    VITRINE_REVOKED_KEYS, or this command run there with the whole key.
    """
    settings = load_settings()
    issued, now = IssuedKeys(settings.data_dir), datetime.now(UTC).isoformat(timespec="seconds")
    if key.startswith(PREFIX):
        key = _entered(key, issued, load_signer(settings).for_use(USE), now)
    try:
        revoked = issued.revoke(key, at=now)
    except NotFound as error:
        hint = "see `vitrine keys list`, or give the whole key"
        raise click.UsageError(f"{error}; {hint}") from None
    click.echo(f"{revoked.id} ({revoked.name or 'no name'}) is refused from now on")


def _entered(text: str, issued: IssuedKeys, signer: Signer, now: str) -> str:
    """The id of a whole key, which is entered into the list if it was made elsewhere."""
    try:
        key = SearchKey.decode(text, signer, now=datetime.now(UTC))
    except InvalidKey as error:
        raise click.UsageError(f"{error}; there is nothing to revoke") from None
    if all(each.id != key.id for each in issued.entries()):
        expires = None if key.expires is None else key.expires.isoformat(timespec="seconds")
        issued.remember(IssuedKey(key.id, "", list(key.filters), key.rate, now, expires))
    return key.id


def _new_key(
    filters: tuple[str, ...], rate: float | None, lifetime: timedelta | None, now: datetime
) -> SearchKey:
    expires = None if lifetime is None else now + lifetime
    return SearchKey(uuid.uuid4().hex[:8], filters, rate, expires)


def _check_name(name: str) -> None:
    """Refuse what would not be a cell of a line in the list of keys."""
    if len(name) > _LONGEST_NAME:
        raise click.UsageError(f"--name: has {len(name)} characters; allowed are {_LONGEST_NAME}")
    if not name.isprintable():
        raise click.UsageError("--name: must be printable characters in one line")


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
