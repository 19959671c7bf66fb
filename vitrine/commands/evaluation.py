"""`vitrine evaluate`: how good the live index is on judged queries."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vitrine.commands import io

if TYPE_CHECKING:
    from vitrine.evaluation_report import Report

__all__ = ["evaluate"]


@click.command()
@click.argument("judgements", type=io.PICTURE)
@click.option(
    "--topics",
    type=io.PICTURE,
    help="For TREC qrels: a line for each query id, a tab and its words. Without it the ids are "
    "the words, underscores between them.",
)
@click.option(
    "--k",
    default=10,
    show_default=True,
    type=click.IntRange(min=1),
    help="Hits of each query that count.",
)
@io.json_option
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
        closing(io.open_vitrine()) as vitrine,
        tqdm(
            total=len(SIGNALS) * len(judged), unit="query", disable=not sys.stderr.isatty()
        ) as bar,
    ):
        measured = report(
            vitrine.engine.search,
            judged,
            vitrine.engine.schema,
            open_image=lambda path: io.read_picture(vitrine, path),
            k=k,
            progress=lambda n: bar.update(n) and None,
        )
    if as_json:
        io.print_json(_as_json(measured))
        return
    answer = measured.scores["", "answer"]
    click.echo(f"judged queries: {answer.queries}")
    for name, value in answer.values.items():
        click.echo(f"{name:<10} {value:.4f}")
    click.echo()
    for line in table(measured, f"nDCG@{k}"):
        click.echo(line)


def _as_json(measured: Report) -> dict[str, object]:
    answer = measured.scores["", "answer"]
    groups: dict[str, dict[str, dict[str, float]]] = {}
    for (group, signal), scores in measured.scores.items():
        groups.setdefault(group or "all", {})[signal] = dict(scores.values)
    counts = {name: getattr(measured, name) for name in ("absent", "silent", "relevant", "lost")}
    return {"queries": answer.queries, **answer.values, "groups": groups, **counts}
