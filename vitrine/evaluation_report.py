"""Judged queries by group and by signal: what words and pictures bring, alone and together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from vitrine.evaluation import Judgement, OpenImage, Scores, Search, judged_query, score
from vitrine.fields.schema import Schema
from vitrine.filters import All, parse_filter
from vitrine.queries import SearchQuery
from vitrine.results import Hit

__all__ = ["SIGNALS", "Report", "report", "table"]

SIGNALS: Mapping[str, Callable[[SearchQuery], SearchQuery]] = {
    "picture": lambda query: replace(query, ranking="vector"),
    "words": lambda query: replace(query, ranking="words", cutoff="off", understand=False),
    "fused": lambda query: replace(query, cutoff="off"),
    "answer": lambda query: query,
}
"""How a query is asked to measure one signal alone: the plain cosine, words as they were typed,
both together as they are understood, and the answer with its cutoff."""


@dataclass(frozen=True)
class Report:
    """Scores by group ("" for all) and signal.

    `silent` of `absent` queries for what the shop does not sell got no hit; `lost` of `relevant`
    products are under the query's filters, but beyond its cutoff.
    """

    scores: Mapping[tuple[str, str], Scores]
    absent: int
    silent: int
    relevant: int
    lost: int


def report(
    search: Search,
    judgements: Sequence[Judgement],
    schema: Schema,
    *,
    open_image: OpenImage,
    k: int = 10,
    progress: Callable[[int], object] = lambda _: None,
) -> Report:
    """Ask every judged query in every way; errors are those of the search."""
    sold = [judgement for judgement in judgements if judgement.grades]
    scores: dict[tuple[str, str], Scores] = {}
    for name, ask in SIGNALS.items():
        signal = ask
        answerable = [j for j in sold if j.text is not None or name != "words"]
        ranked: dict[str, Sequence[Hit]] = {}
        for judgement in answerable:
            ranked[judgement.id] = search(signal(judged_query(judgement, open_image, k))).hits
            progress(1)
        for group, members in _groups(answerable):
            scores[group, name] = score(members, ranked, k=k)
    absent = [judgement for judgement in judgements if not judgement.grades]
    silent = sum(not search(judged_query(j, open_image, k)).hits for j in absent)
    counts = [_close_of_relevant(search, j, schema, open_image) for j in sold]
    return Report(
        scores,
        len(absent),
        silent,
        sum(relevant for relevant, _ in counts),
        sum(relevant - close for relevant, close in counts),
    )


def _groups(judgements: Sequence[Judgement]) -> Iterator[tuple[str, list[Judgement]]]:
    for group in dict.fromkeys(j.group for j in judgements if j.group):
        yield group, [j for j in judgements if j.group == group]
    if judgements:
        yield "", list(judgements)


def _close_of_relevant(
    search: Search, judgement: Judgement, schema: Schema, open_image: OpenImage
) -> tuple[int, int]:
    """How many relevant products the query's filters leave, and how many of them are close."""
    relevant = [product for product, grade in judgement.grades.items() if grade > 0]
    query = judged_query(judgement, open_image, 1)
    condition = All((query.filter, parse_filter({"id": relevant}, schema)))
    narrowed = replace(query, filter=condition, candidates=max(query.candidates, len(relevant)))
    return search(replace(narrowed, cutoff="off")).total, search(narrowed).total


def table(report: Report, measure: str) -> list[str]:
    """The report as lines of text: a row for each group, a column for each signal."""
    groups = list(dict.fromkeys(group for group, _ in report.scores))
    width = max(len("all queries"), *(len(group) for group in groups)) + 2
    lines = [f"{measure:<{width}}{'queries':>8}" + "".join(f"{name:>9}" for name in SIGNALS)]
    for group in groups:
        rows = {name: report.scores.get((group, name)) for name in SIGNALS}
        queries = max(scores.queries for scores in rows.values() if scores)
        cells = [f"{s.values[measure]:>9.3f}" if s else f"{'-':>9}" for s in rows.values()]
        lines.append(f"{group or 'all queries':<{width}}{queries:>8}" + "".join(cells))
    if report.absent:
        lines.append(f"answered with nothing: {report.silent} of {report.absent} absent things")
    if report.relevant:
        share = report.lost / report.relevant
        lines.append(f"lost to the cutoff: {report.lost} of {report.relevant} ({share:.1%})")
    return lines
