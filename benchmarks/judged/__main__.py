"""`python -m benchmarks.judged FOLDER`: nDCG@10 per group of queries and per signal."""

from __future__ import annotations

import json
from pathlib import Path
from time import thread_time

import click
import numpy as np

from benchmarks.judged.answering import SIGNALS, Answer, answer
from benchmarks.judged.rules import JudgedQuery, read_judged, relevant, write_judgements
from benchmarks.judged.shop import Shop, open_shop, read_products
from benchmarks.judged.worded import WordedEmbedder
from vitrine.embedding.load import load_embedder
from vitrine.fields.mapping import Mapping
from vitrine.settings import load_settings

HERE = Path(__file__).parent
MAPPING = HERE.parents[1] / "docs" / "mappings" / "magento.toml"


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--queries",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=HERE / "magento.toml",
    help="Judged queries, as magento.toml has them.",
)
@click.option(
    "--judgements",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the queries with their answers for `vitrine evaluate` to this file, and stop.",
)
@click.option(
    "--template",
    default="{}",
    show_default=True,
    help="What the model reads of a text, such as 'a photo of a {}'; words are the query's own.",
)
@click.option("--misses", is_flag=True, help="Print the queries that are answered badly, too.")
def main(folder: Path, queries: Path, judgements: Path | None, template: str, misses: bool) -> None:
    """Measure judged queries over the catalogue in FOLDER, in memory, with the configured model."""
    judged = read_judged(queries)
    if judgements is not None:
        write_judgements(judgements, judged, read_products(folder, Mapping.load(MAPPING)))
        return
    embedder = WordedEmbedder(load_embedder(load_settings()), template)
    shop = open_shop(folder, Mapping.load(MAPPING), embedder)
    answers = {query: answer(shop, query.text) for query in judged}
    present = [query for query in judged if not query.is_absent]
    truth = {query: relevant(query, shop.products) for query in present}
    for line in _table(answers, truth):
        click.echo(line)
    absent = [query for query in judged if query.is_absent]
    silent = [query for query in absent if not answers[query].close]
    lost = sum(len(truth[q] - set(answers[q].close)) for q in present)
    total = sum(len(ids) for ids in truth.values())
    click.echo(f"\nabsent things that answer nothing: {len(silent)} of {len(absent)}")
    click.echo(f"relevant products lost to the cutoff: {lost} of {total} ({lost / total:.1%})")
    click.echo(f"learning: {shop.learning_s:.1f} s for {len(shop.products)} products")
    click.echo(_understanding_times(shop, judged))
    click.echo(json.dumps(shop.constants.summary()))
    if misses:
        for query in [*present, *absent]:
            _tell(query, answers[query], truth.get(query, frozenset()))


def _table(
    answers: dict[JudgedQuery, Answer], truth: dict[JudgedQuery, frozenset[str]]
) -> list[str]:
    columns = (*SIGNALS, "answer")
    lines = [f"{'group':18}{'queries':>8}" + "".join(f"{name:>9}" for name in columns)]
    lines.append(
        f"{'':18}{'':>8}" + f"{'nDCG@10 alone, fused, and of the answer with its cutoff':>45}"
    )
    groups = list(dict.fromkeys(query.group for query in truth))
    for group in [*groups, "all"]:
        chosen = [query for query in truth if group in (query.group, "all")]
        means = [
            float(np.mean([ndcg(_ranking(answers[q], name), truth[q]) for q in chosen]))
            for name in columns
        ]
        lines.append(f"{group:18}{len(chosen):>8}" + "".join(f"{mean:>9.3f}" for mean in means))
    return lines


def _ranking(answered: Answer, name: str) -> list[str]:
    return answered.close if name == "answer" else answered.ranked[name]


def ndcg(ranking: list[str], relevant_ids: frozenset[str], k: int = 10) -> float:
    """nDCG@k with grades 0 and 1 (Järvelin and Kekäläinen 2002)."""
    gains = [1 / np.log2(rank + 2) for rank in range(k)]
    gained = sum(g for g, product in zip(gains, ranking, strict=False) if product in relevant_ids)
    return float(gained / sum(gains[: len(relevant_ids)]))


def _understanding_times(shop: Shop, judged: list[JudgedQuery]) -> str:
    taken = []
    for query in judged:
        started = thread_time()
        shop.reader.read(query.text)
        taken.append((thread_time() - started) * 1e3)
    middle, most = np.median(taken), np.quantile(taken, 0.99)
    return f"understanding: {middle:.2f} ms (p50), {most:.2f} ms (p99) of the processor"


def _tell(query: JudgedQuery, answered: Answer, relevant_ids: frozenset[str]) -> None:
    value = ndcg(answered.close, relevant_ids) if relevant_ids else float(not answered.close)
    missing = len(relevant_ids - set(answered.close))
    if value < 0.95 or missing:
        click.echo(
            f"{query.group}: {query.text!r} {value:.2f}, close {len(answered.close)}, "
            f"lost {missing} of {len(relevant_ids)}, first {answered.close[:3]}"
        )


if __name__ == "__main__":
    main()
