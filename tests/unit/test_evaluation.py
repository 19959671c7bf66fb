"""Judged queries by group and signal, against measures worked out by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from tests.unit.service.brute_force import SCHEMA
from vitrine.errors import InvalidInput
from vitrine.evaluation import Judgement, read_judgements
from vitrine.evaluation_report import report, table
from vitrine.filters import All, Condition
from vitrine.products import Product
from vitrine.queries import SearchQuery
from vitrine.results import Hit, Page, Plan

ANSWERS = {"red mug": ["a", "b", "c"], "blue mug": ["c", "d"], "unicorn": []}


def page(ids: list[str]) -> Page:
    hits = tuple(Hit(Product(id=i, title=i), 0.5, (i,)) for i in ids)
    return Page(hits, len(ids), {}, None, Plan("exact", 9), "v", "m", "fake")


def search(query: SearchQuery) -> Page:
    """By the vector nothing but "z" is found, by words the answer backwards."""
    ids = ANSWERS[query.texts[0].text]
    if query.ranking == "vector":
        ids = ["z"]
    elif query.ranking == "words":
        ids = ids[::-1]
    elif query.cutoff == "off":
        ids = [*ids, "e"]
    if isinstance(query.filter, All) and query.filter.parts:
        only = query.filter.parts[-1]
        assert isinstance(only, Condition)
        ids = [i for i in ids if i in only.operand]
    return page(ids[: max(query.limit, 1)] if query.limit > 1 else ids)


JUDGED = [
    Judgement("1", "red mug", None, {"a": 1}, "reds"),
    Judgement("2", "blue mug", None, {"d": 1, "e": 1}, "blues"),
    Judgement("3", "unicorn", None, {}, "absent"),
]


def no_image(path: Path) -> Image.Image:
    raise AssertionError(path)


def test_every_signal_is_measured_for_every_group():
    measured = report(search, JUDGED, SCHEMA, open_image=no_image)
    ndcg = {key: scores.values["nDCG@10"] for key, scores in measured.scores.items()}
    assert ndcg["reds", "picture"] == 0
    assert ndcg["reds", "answer"] == 1
    assert ndcg["reds", "words"] == pytest.approx(1 / math.log2(4))
    ideal = 1 + 1 / math.log2(3)
    assert ndcg["blues", "fused"] == pytest.approx((1 / math.log2(3) + 1 / math.log2(4)) / ideal)
    assert ndcg["blues", "answer"] == pytest.approx((1 / math.log2(3)) / ideal)
    assert ndcg["", "answer"] == pytest.approx(
        (ndcg["reds", "answer"] + ndcg["blues", "answer"]) / 2
    )


def test_what_the_shop_does_not_sell_and_what_the_cutoff_loses_are_counted():
    measured = report(search, JUDGED, SCHEMA, open_image=no_image)
    assert (measured.absent, measured.silent) == (1, 1)
    assert (measured.relevant, measured.lost) == (3, 1)  # "e" is beyond the cutoff
    lines = table(measured, "nDCG@10")
    assert lines[-2:] == [
        "answered with nothing: 1 of 1 absent things",
        "lost to the cutoff: 1 of 3 (33.3%)",
    ]
    assert lines[-3].split()[:3] == ["all", "queries", "2"]


def test_judgements_carry_their_group_and_may_judge_nothing(tmp_path: Path):
    path = tmp_path / "judged.jsonl"
    rows = [
        {"text": "red mug", "group": "reds", "relevant": ["a"]},
        {"text": "unicorn", "relevant": []},
    ]
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    first, second = read_judgements(path)
    assert (first.group, first.grades) == ("reds", {"a": 1})
    assert (second.group, second.grades) == ("", {})
    path.write_text(json.dumps({"text": "x", "relevant": 3}), "utf-8")
    with pytest.raises(InvalidInput, match="relevant"):
        read_judgements(path)


def test_topics_give_the_words_of_every_query_and_without_them_its_id_does(tmp_path: Path):
    qrels, topics = tmp_path / "shop.qrels", tmp_path / "topics.tsv"
    qrels.write_text("red_mug 0 a 2\nq2 0 b 1\n")
    assert [j.text for j in read_judgements(qrels)] == ["red mug", "q2"]
    topics.write_text("red_mug\tcup in red\nq2\tblue vase\n")
    assert [j.text for j in read_judgements(qrels, topics=topics)] == ["cup in red", "blue vase"]
    topics.write_text("red_mug\tcup in red\nq2 blue vase\n")
    with pytest.raises(InvalidInput, match="no words for the query 'q2'"):
        read_judgements(qrels, topics=topics)


def test_only_absent_things_are_no_judgements_of_an_index():
    from vitrine.evaluation import evaluate

    with pytest.raises(InvalidInput, match="empty"):
        evaluate(search, [replace(JUDGED[2])], open_image=no_image)
