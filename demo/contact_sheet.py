"""Draws a contact sheet, to look at what the demo shop sells: `python -m demo.contact_sheet
sheet.png --category dress`."""

import random
from pathlib import Path

import click
from PIL import Image, ImageDraw

from demo.drawing import CATEGORIES, PATTERNS, SILHOUETTES, Item, draw, random_item

__all__ = ["contact_sheet", "main"]

CAPTION_HEIGHT = 14


def contact_sheet(rows: list[list[Item]], size: int) -> Image.Image:
    """Returns the items in rows, each `size` pixels square with its words under it."""
    columns = max(len(row) for row in rows)
    sheet = Image.new("RGB", (columns * size, len(rows) * (size + CAPTION_HEIGHT)), "white")
    pen = ImageDraw.Draw(sheet)
    for y, row in enumerate(rows):
        for x, item in enumerate(row):
            corner = (x * size, y * (size + CAPTION_HEIGHT))
            sheet.paste(draw(item, size), corner)
            words = f"{item.color} {item.pattern} {item.silhouette} {item.material}"
            pen.text((corner[0] + 2, corner[1] + size), words[: size // 6], fill="black")
    return sheet


@click.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--category",
    "categories",
    multiple=True,
    type=click.Choice(CATEGORIES),
    help="A row of this category; all when none is given.",
)
@click.option("--pattern", type=click.Choice(PATTERNS), help="Only this pattern.")
@click.option(
    "--columns", default=8, show_default=True, type=click.IntRange(1, 40), help="Products in a row."
)
@click.option(
    "--size",
    default=160,
    show_default=True,
    type=click.IntRange(32, 1000),
    help="Pixels of a picture's side.",
)
@click.option("--seed", default=1, show_default=True, help="Another seed, other products.")
def main(
    out: Path, categories: tuple[str, ...], pattern: str | None, columns: int, size: int, seed: int
) -> None:
    """Draws one row of products for each category into the PNG file OUT."""
    rng = random.Random(seed)
    fixed = {"pattern": pattern} if pattern else {}
    rows = []
    for category in categories or CATEGORIES:
        shapes = SILHOUETTES[category]
        rows.append(
            [
                random_item(rng, category=category, silhouette=shapes[i % len(shapes)], **fixed)
                for i in range(columns)
            ]
        )
    contact_sheet(rows, size).save(out, "PNG")
    click.echo(f"{out}: {len(rows)} rows of {columns}")


if __name__ == "__main__":
    main()
