"""Commands about catalogues: map, show."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from ingest.source_options import export_options
from vitrine.errors import InvalidQuery
from vitrine.fields.currencies import currency_code
from vitrine.settings import load_settings

if TYPE_CHECKING:
    from ingest.catalogue import Preview, PreviewRow
    from vitrine.products import Product

__all__ = ["map_", "show"]


@click.command("map")
@click.argument("source")
@click.option("--map", "mapping", metavar="FILE", help="Preview this mapping, or auto.")
@export_options
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--json", "as_json", is_flag=True, help="Print the preview as JSON.")
def map_(
    source: str,
    mapping: str | None,
    currency: str | None,
    images: str | None,
    language: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Draft a mapping for SOURCE, or preview the products that a mapping makes of it.

    Nothing is written to the index. With --map the exit status is 1 when rows shown would fail.
    """
    from ingest.catalogue import MappingChoice, choose_mapping, draft_mapping, preview_catalogue

    settings = load_settings()
    if currency is not None:
        try:
            currency = currency_code(currency)
        except ValueError as error:
            raise InvalidQuery.of("--currency", str(error)) from None
    if mapping is None:
        said = {"currency": currency, "images": images, "language": language}
        click.echo(draft_mapping(source, settings, **said), nl=False)
        return
    chosen = choose_mapping(source, settings, MappingChoice(mapping, currency, images, language))
    preview = preview_catalogue(source, settings, chosen.mapping, limit=limit)
    for note in (chosen.note, *preview.notes):
        if note is not None:
            click.echo(note, err=True)
    if as_json:
        click.echo(json.dumps(_json(preview), ensure_ascii=False, indent=2))
    else:
        _print(preview)
    sys.exit(1 if preview.failed else 0)


def _print(preview: Preview) -> None:
    for row in preview.rows:
        click.echo(f"{row.place}: {_sentence(row)}")
        for problem in row.problems:
            click.echo(f"    {problem.field}: {problem.message}".replace("    : ", "    "))
    for reason, count in preview.left_out.items():
        click.echo(f"left out {count}: {reason}", err=True)
    click.echo(f"{len(preview.rows)} rows shown, {preview.failed} would fail", err=True)


def _sentence(row: PreviewRow) -> str:
    if row.product is None:
        return "would fail"
    fields = {**_fields(row.product), "pictures": list(row.pictures)}
    return "  ".join(f"{name}={_short(value)}" for name, value in fields.items())


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _fields(product: Product) -> dict[str, Any]:
    """The fields that have a value, attributes among them."""
    names = [name for name in type(product).__dataclass_fields__ if name != "attributes"]
    fields = {**{name: getattr(product, name) for name in names}, **product.attributes}
    return {name: value for name, value in fields.items() if value not in (None, ())}


def _json(preview: Preview) -> dict[str, Any]:
    rows = [
        {
            "place": row.place,
            "product": None if row.product is None else _plain(_fields(row.product)),
            "pictures": list(row.pictures),
            "problems": [{"field": p.field, "message": p.message} for p in row.problems],
        }
        for row in preview.rows
    ]
    return {"rows": rows, "left_out": preview.left_out, "notes": list(preview.notes)}


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(fields, default=str))
    return plain


@click.command()
@click.argument("id")
def show(id: str) -> None:
    """Show the product ID as the live version has it, as JSON. Exit status 1 when there is none."""
    from vitrine.wiring import Vitrine

    with closing(Vitrine(load_settings())) as vitrine:
        live = vitrine.versions.live()
        record = live.get([id]).get(id)
        if record is None:
            click.echo(f"the live version has no product {id!r}", err=True)
            sys.exit(1)
        stored = {
            **_plain(_fields(record.product)),
            "image_key": record.image_key,
            "image_keys": list(record.image_keys),
            "version": live.info.name,
        }
    click.echo(json.dumps(stored, ensure_ascii=False, indent=2))
