"""How good is the search: recall, reciprocal rank and nDCG of a search function on judged queries.

The measures are computed by ir-measures (TREC's own evaluation code beneath).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from PIL.Image import Image

from vitrine.errors import FieldError, InvalidInput, InvalidQuery
from vitrine.extras import needs
from vitrine.queries import SearchQuery, WeightedText
from vitrine.results import Hit, Page

__all__ = [
    "Judgement",
    "OpenImage",
    "Scores",
    "Search",
    "evaluate",
    "judged_query",
    "read_judgements",
    "score",
]

Search: TypeAlias = Callable[[SearchQuery], Page]
OpenImage: TypeAlias = Callable[[Path], Image]


@dataclass(frozen=True)
class Judgement:
    """One judged query: a text, a picture's path or both, and the grade (> 0 is relevant) of each
    judged product id; without any it asks for what the shop does not sell."""

    id: str
    text: str | None
    image: Path | None
    grades: Mapping[str, int]
    group: str = ""
    """What kind of query it is, for measures by group."""


@dataclass(frozen=True)
class Scores:
    """Means over `queries` judged queries, by the measure's name: "R@10", "RR", "nDCG@10"."""

    queries: int
    values: Mapping[str, float]


def read_judgements(path: Path, *, topics: Path | None = None) -> list[Judgement]:
    """Read judgements from JSONL or TREC qrels.

    JSONL lines: {"text": ..., "image": FILE, "relevant": [id, ...] | {id: grade}}, with text, image
    or both; `query` may stand for text and `query_image` for image; files are relative to the
    judgements. `group` names the kind of query; an empty "relevant" says that the shop does not
    sell it. TREC qrels lines: query id, ignored, product id, grade; `topics` gives the words of
    each query id, tab-separated, and without it the query id itself (underscores as spaces) is the
    text. Raises `InvalidInput` naming the line.
    """
    lines = [(n, line) for n, line in enumerate(_lines(path), 1) if line.strip()]
    if not lines:
        raise InvalidInput.of(str(path), "holds no judgements")
    if lines[0][1].lstrip().startswith("{"):
        return [_from_json(path, n, line) for n, line in lines]
    return _from_qrels(path, lines, topics)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput.of(str(path), f"cannot be read: {error}") from None


def _from_json(path: Path, number: int, line: str) -> Judgement:
    where = f"{path}:{number}"
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise InvalidInput.of(where, f"is not JSON: {error}") from None
    text, image = row.get("text", row.get("query")), row.get("image", row.get("query_image"))
    if not (isinstance(text, str) or isinstance(image, str)):
        raise InvalidInput.of(where, 'names neither "text" nor "image"')
    return Judgement(
        str(row.get("id", number)),
        text,
        path.parent / image if image else None,
        _grades(where, row.get("relevant")),
        str(row.get("group", "")),
    )


def _grades(where: str, grades: Any) -> dict[str, int]:
    if isinstance(grades, list) and all(isinstance(i, str) for i in grades):
        return dict.fromkeys(grades, 1)
    if isinstance(grades, dict) and all(isinstance(g, int) for g in grades.values()):
        return dict(grades)
    raise InvalidInput.of(
        where, '"relevant" must be a list of product ids or an object of id: grade'
    )


def _topics(path: Path) -> dict[str, str]:
    return dict(line.split("\t", 1) for line in _lines(path) if "\t" in line)


def _words(query: str, topics: Path, words: Mapping[str, str]) -> str:
    if query not in words:
        raise InvalidInput.of(
            str(topics), f"has no words for the query {query!r}; write a line of id, tab, words"
        )
    return words[query]


def _from_qrels(
    path: Path, lines: Sequence[tuple[int, str]], topics: Path | None
) -> list[Judgement]:
    qrels: dict[str, dict[str, int]] = {}
    for number, line in lines:
        columns = line.split()
        if len(columns) != 4 or not columns[3].lstrip("-").isdigit():
            raise InvalidInput.of(
                f"{path}:{number}", "is not a qrels line: query id, 0, product id, grade"
            )
        qrels.setdefault(columns[0], {})[columns[2]] = int(columns[3])
    if topics is None:
        return [Judgement(i, i.replace("_", " "), None, grades) for i, grades in qrels.items()]
    words = _topics(topics)
    return [Judgement(i, _words(i, topics, words), None, grades) for i, grades in qrels.items()]


def evaluate(
    search: Search,
    judgements: Sequence[Judgement],
    *,
    open_image: OpenImage,
    k: int = 10,
    progress: Callable[[int], object] = lambda _: None,
) -> Scores:
    """Search for every judged query and score the first `k` hits.

    `progress` is told each finished query. Queries for what the shop does not sell are left out.
    """
    asked_for = [judgement for judgement in judgements if judgement.grades]
    if not asked_for:
        raise InvalidInput([FieldError("judgements", "are empty")])
    ranked = {}
    for judgement in asked_for:
        ranked[judgement.id] = search(judged_query(judgement, open_image, k)).hits
        progress(1)
    return score(asked_for, ranked, k=k)


def score(
    judgements: Sequence[Judgement], ranked: Mapping[str, Sequence[Hit]], *, k: int
) -> Scores:
    """The measures of hits by the query's id."""
    with needs("evaluation", "scoring judged queries"):
        import ir_measures

    run = [
        ir_measures.ScoredDoc(judgement.id, hit.product.id, float(k - rank))
        for judgement in judgements
        for rank, hit in enumerate(ranked[judgement.id])
    ]
    qrels = [
        ir_measures.Qrel(j.id, product, grade)
        for j in judgements
        for product, grade in j.grades.items()
    ]
    measures = [ir_measures.R @ k, ir_measures.RR @ k, ir_measures.nDCG @ k]
    totals = ir_measures.calc_aggregate(measures, qrels, run)
    return Scores(len(judgements), {str(m): float(totals[m]) for m in measures})


def judged_query(judgement: Judgement, open_image: OpenImage, k: int) -> SearchQuery:
    """What a judgement asks, `k` hits of it; `InvalidQuery` for one that asks nothing."""
    query = SearchQuery(limit=k, candidates=max(k, 100))
    if judgement.text is None and judgement.image is None:
        raise InvalidQuery.of(judgement.id, "has neither text nor image")
    if judgement.text is not None:
        query = replace(query, texts=(WeightedText(judgement.text),))
    if judgement.image is not None:
        query = replace(query, image=open_image(judgement.image))
    return query
