"""`vitrine search`: a query over the live index, from the shell."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vitrine.commands import io
from vitrine.filters import MATCH_ALL, All, Filter, parse_expression
from vitrine.queries import SearchQuery, Sort, WeightedText

if TYPE_CHECKING:
    from vitrine.fields.schema import Schema
    from vitrine.results import Page

__all__ = ["search"]


@click.command()
@click.argument("text", required=False)
@click.option(
    "--image", type=io.PICTURE, help="Search with a picture, alone or together with TEXT."
)
@click.option(
    "--like",
    multiple=True,
    help="Id of a product that the results should look like; may be repeated.",
)
@click.option(
    "--unlike",
    multiple=True,
    help="Id of a product that the results should not look like; may be repeated.",
)
@click.option(
    "--filter",
    "filters",
    multiple=True,
    help="field=value, field!=value, price<50, ...; field=a,b is any of two values, and one with a "
    'comma stands in quotation marks: field="a, b". May be repeated, all must hold.',
)
@click.option(
    "--sort",
    default="relevance",
    show_default=True,
    help="relevance, price, -price, -in_stock,price, ...",
)
@click.option(
    "--limit",
    default=10,
    show_default=True,
    type=click.IntRange(min=1),
    help="How many products to print.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the answer of the API.")
def search(
    text: str | None,
    image: Path | None,
    like: tuple[str, ...],
    unlike: tuple[str, ...],
    filters: tuple[str, ...],
    sort: str,
    limit: int,
    as_json: bool,
) -> None:
    """Search the live index by words, by picture or by both.

    Without either, list what the filters leave.
    """
    with closing(io.open_vitrine()) as vitrine:
        query = SearchQuery(
            texts=(WeightedText(text),) if text else (),
            image=io.read_picture(vitrine, image) if image else None,
            like=like,
            unlike=unlike,
            filter=_filter(filters, vitrine.engine.schema) if filters else MATCH_ALL,
            sort=Sort.parse(sort),
            limit=limit,
        )
        page = vitrine.engine.search(query)
    if as_json:
        from vitrine.answers import search_answer

        io.print_json(search_answer(page, vitrine.settings.public_url))
    else:
        _print_page(page)


def _filter(expressions: Iterable[str], schema: Schema) -> Filter:
    return All(tuple(parse_expression(e, schema) for e in expressions))


def _print_page(page: Page) -> None:
    for hit in page.hits:
        product = hit.product
        score = "     " if hit.score is None else f"{hit.score:5.3f}"
        price = (
            ""
            if product.price is None
            else f"{product.price:,.2f} {product.currency or ''}".strip()
        )
        click.echo(f"{score}  {product.id:<20} {price:>16}  {product.title}")
    for note in page.notes:
        click.echo(note.message, err=True)
    click.echo(
        f"{len(page.hits)} of {page.total} products, {page.timings_ms['total']:.0f} ms", err=True
    )
