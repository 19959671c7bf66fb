"""Commands over one picture or the live index: search, similarity, classify, detect, evaluate."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from vitrine.errors import InvalidQuery
from vitrine.filters import MATCH_ALL, All, Filter, parse_expression
from vitrine.queries import SearchQuery, Sort, WeightedText
from vitrine.settings import load_settings, settings_tables

if TYPE_CHECKING:
    from PIL.Image import Image

    from vitrine.fields.schema import Schema
    from vitrine.results import Page
    from vitrine.wiring import Vitrine

__all__ = ["classify", "detect", "evaluate", "learn", "search", "settings", "similarity"]

_PICTURE = click.Path(exists=True, dir_okay=False, path_type=Path)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _open(**overrides: Any) -> Vitrine:
    from vitrine.wiring import Vitrine

    return Vitrine(
        load_settings(**{name: value for name, value in overrides.items() if value is not None})
    )


def _picture(vitrine: Vitrine, path: Path) -> Image:
    from vitrine.images.decode import ImageLimits, decode

    return decode(path.read_bytes(), ImageLimits.of(vitrine.settings))


def _print_json(value: object) -> None:
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))


@click.command()
@click.argument("text", required=False)
@click.option("--image", type=_PICTURE, help="Search with a picture, alone or together with TEXT.")
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
    help="field=value, field!=value, price<50, ...; may be repeated, all must hold.",
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
    with closing(_open()) as vitrine:
        query = SearchQuery(
            texts=(WeightedText(text),) if text else (),
            image=_picture(vitrine, image) if image else None,
            like=like,
            unlike=unlike,
            filter=_filter(filters, vitrine.engine.schema) if filters else MATCH_ALL,
            sort=Sort.parse(sort),
            limit=limit,
        )
        page = vitrine.engine.search(query)
    if as_json:
        from vitrine.answers import search_answer

        _print_json(search_answer(page, vitrine.settings.public_url))
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


@click.command()
@click.argument("image", type=_PICTURE)
@click.argument("texts", nargs=-1, required=True)
@_json
def similarity(image: Path, texts: tuple[str, ...], as_json: bool) -> None:
    """Print the cosine similarity of IMAGE with each of TEXTS."""
    with closing(_open()) as vitrine:
        similarities = vitrine.recognition.similarity(_picture(vitrine, image), texts)
    if as_json:
        _print_json({"similarities": [{"text": s.text, "cosine": s.cosine} for s in similarities]})
        return
    for similarity in similarities:
        click.echo(f"{similarity.cosine:7.4f}  {similarity.text}")


@click.command()
@click.argument("image", type=_PICTURE)
@click.argument("labels", nargs=-1, required=True)
@click.option(
    "--template",
    "templates",
    multiple=True,
    help="Text around a label, {} marks its place; several are averaged.  [a photo of a {}]",
)
@_json
def classify(
    image: Path, labels: tuple[str, ...], templates: tuple[str, ...], as_json: bool
) -> None:
    """Print the probability of each of LABELS for IMAGE (zero-shot)."""
    from vitrine.recognition import DEFAULT_TEMPLATE

    with closing(_open()) as vitrine:
        ranked = vitrine.recognition.classify(
            _picture(vitrine, image), labels, templates or (DEFAULT_TEMPLATE,)
        )
    if as_json:
        _print_json({"labels": [{"label": c.label, "probability": c.probability} for c in ranked]})
        return
    for classified in ranked:
        click.echo(f"{classified.probability:7.2%}  {classified.label}")


@click.command()
@click.argument("image", type=_PICTURE)
@click.argument("labels", nargs=-1, required=True)
@click.option("--threshold", type=click.FloatRange(0, 1), help="Minimum score of an object.")
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the picture with the boxes drawn to this file.",
)
@_json
def detect(
    image: Path, labels: tuple[str, ...], threshold: float | None, save: Path | None, as_json: bool
) -> None:
    """Find objects of LABELS in IMAGE (zero-shot) and print their boxes in pixels."""
    from vitrine.boxes import draw_boxes
    from vitrine.recognition import DEFAULT_THRESHOLD

    with closing(_open()) as vitrine:
        picture = _picture(vitrine, image)
        detections = vitrine.recognition.detect(
            picture, labels, threshold=DEFAULT_THRESHOLD if threshold is None else threshold
        )
    if save is not None:
        try:
            draw_boxes(picture, detections).save(save)
        except (OSError, ValueError) as error:  # the folder, or a format that Pillow lacks
            raise InvalidQuery.of("--save", f"{save} cannot be written: {error}") from None
    if as_json:
        names = ("xmin", "ymin", "xmax", "ymax")
        _print_json(
            {
                "objects": [
                    {
                        "label": d.label,
                        "score": d.score,
                        "box": dict(zip(names, d.box, strict=True)),
                    }
                    for d in detections
                ]
            }
        )
        return
    for detection in detections:
        edges = ", ".join(f"{edge:.0f}" for edge in detection.box)
        click.echo(f"{detection.score:6.3f}  {detection.label:<20} {edges}")
    if not detections:
        click.echo("nothing found above the threshold", err=True)


@click.command()
@click.argument("judgements", type=_PICTURE)
@click.option(
    "--topics", type=_PICTURE, help="Words of each query id (tab-separated), for TREC qrels."
)
@click.option(
    "--k",
    default=10,
    show_default=True,
    type=click.IntRange(min=1),
    help="Hits of each query that count.",
)
@_json
def evaluate(judgements: Path, topics: Path | None, k: int, as_json: bool) -> None:
    """Print how good the live index is on a JUDGEMENTS file (JSONL or TREC qrels).

    Recall, reciprocal rank and nDCG of the answers, and nDCG by group of queries and by signal:
    pictures alone, words alone, both fused, and the answer with its cutoff.
    """
    from tqdm import tqdm

    from vitrine.evaluation import read_judgements
    from vitrine.evaluation_report import SIGNALS, report, table

    judged = read_judgements(judgements, topics=topics)
    with (
        closing(_open()) as vitrine,
        tqdm(
            total=len(SIGNALS) * len(judged), unit="query", disable=not sys.stderr.isatty()
        ) as bar,
    ):
        measured = report(
            vitrine.engine.search,
            judged,
            vitrine.engine.schema,
            open_image=lambda path: _picture(vitrine, path),
            k=k,
            progress=lambda n: bar.update(n) and None,
        )
    answer = measured.scores["", "answer"]
    if as_json:
        groups: dict[str, dict[str, dict[str, float]]] = {}
        for (group, signal), scores in measured.scores.items():
            groups.setdefault(group or "all", {})[signal] = dict(scores.values)
        counts = {
            name: getattr(measured, name) for name in ("absent", "silent", "relevant", "lost")
        }
        _print_json({"queries": answer.queries, **answer.values, "groups": groups, **counts})
        return
    click.echo(f"{answer.queries} judged queries")
    for name, value in answer.values.items():
        click.echo(f"{name:<10} {value:.4f}")
    click.echo()
    for line in table(measured, f"nDCG@{k}"):
        click.echo(line)


@click.command()
def learn() -> None:
    """Learn the words and the relevance of the live version again.

    Every ingest that changes a fifth of the products does this by itself.
    """
    from vitrine.learning import learn_version

    with closing(_open()) as vitrine:
        serving = vitrine.live.current()
        model = learn_version(vitrine.versions, serving.index, serving.embedder)
    if model is None:
        click.echo(
            "nothing to learn from: the version is empty, or keeps no words (`vitrine reindex`)"
        )
        return
    constants = model.constants
    click.echo(
        f"learned from {constants.products} products:"
        f" {len(model.vocabulary.words)} words, {len(model.values.by_terms)} values"
    )
    if constants.assumed:
        click.echo(f"too few products to learn from for: {', '.join(constants.assumed)}", err=True)


@click.command()
def settings() -> None:
    """Print every setting with its default and meaning, as a Markdown table."""
    click.echo(settings_tables())
