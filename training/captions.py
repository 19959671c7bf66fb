"""Captions of many wordings for labelled pictures, and which picture each of them fits."""

import random
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import torch
from torch import Tensor

from training.words import KINDS, Label, Naming, kinds_within, words

__all__ = [
    "Caption",
    "Wording",
    "agreement",
    "asked_codes",
    "caption_for",
    "held_out_wordings",
    "shown_codes",
]


@dataclass(frozen=True)
class Caption:
    """A text and what it asks for: per kind 1, 0 or -1 (perhaps), and indices of attributes, -1 where it does not care."""

    text: str
    kinds: tuple[int, ...]
    colour: int = -1
    pattern: int = -1
    material: int = -1
    silhouette: int = -1


@dataclass(frozen=True)
class Wording:
    """A free wording of wordings.toml and the drawn products that are right for it; None is free."""

    text: str
    categories: frozenset[str]
    colour: str | None
    pattern: str | None
    material: str | None


@cache
def held_out_wordings() -> tuple[Wording, ...]:
    """Returns the free wordings that are measured and never trained on."""
    rows = tomllib.loads((files("training") / "wordings.toml").read_text("utf-8"))["wording"]
    return tuple(
        Wording(
            row["text"],
            frozenset(row["categories"]),
            row.get("colour"),
            row.get("pattern"),
            row.get("material"),
        )
        for row in rows
    )


def asked_codes(captions: Sequence[Caption]) -> Tensor:
    """Returns what captions ask for as int16 (C, K + 4): `kinds`, then colour, pattern, material and silhouette."""
    rows = [
        (*caption.kinds, caption.colour, caption.pattern, caption.material, caption.silhouette)
        for caption in captions
    ]
    return torch.tensor(rows, dtype=torch.int16).reshape(-1, len(KINDS) + 4)


def shown_codes(labels: Sequence[Label]) -> Tensor:
    """Returns what pictures show as int64 (B, 5): kind, colour, pattern, material and silhouette."""
    return torch.tensor(
        [
            (label.kind, label.colour, label.pattern, label.material, label.silhouette)
            for label in labels
        ]
    ).reshape(-1, 5)


def agreement(asked: Tensor, shown: Tensor) -> Tensor:
    """Returns int16 (C, B): 1 where the picture fits the caption, 0 where it does not, -1 where that is not known."""
    table = asked[:, shown[:, 0]]
    for wanted, has in zip(asked[:, len(KINDS) :].T, shown[:, 1:].T, strict=True):
        unlike = (wanted[:, None] >= 0) & (wanted[:, None] != has[None])
        table = torch.where((table == 0) | (unlike & (has >= 0)), 0, torch.where(unlike, -1, table))
    return table


def caption_for(label: Label, rng: random.Random) -> Caption:
    """Returns a caption that is true of the picture: some of what is known, in one of many wordings."""
    while True:
        caption = _one_caption(label, rng)
        if _plain(caption.text) not in _held_out():
            return caption


@cache
def _held_out() -> frozenset[str]:
    return frozenset(_plain(wording.text) for wording in held_out_wordings())


def _plain(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9-]+", text.lower()))


def _naming(kind: str, rng: random.Random) -> Naming:
    """The kind's own words, or now and then those of a group it belongs to."""
    known = words()
    own = known.photos.get(kind) or known.categories[kind]
    if rng.random() < 0.15:
        wider = [group for group in known.groups if own.categories <= group.categories]
        return rng.choice(wider) if wider else own
    return own


def _one_caption(label: Label, rng: random.Random) -> Caption:
    kind, colour, pattern, material, silhouette = label.words
    naming = _naming(kind, rng)
    told = {
        "colour": colour is not None and rng.random() < 0.8,
        "pattern": pattern is not None and rng.random() < (0.15 if pattern == "plain" else 0.55),
        "material": material is not None and rng.random() < 0.15,
        "silhouette": silhouette is not None
        and len(naming.categories) == 1
        and rng.random() < 0.15,
    }
    fits = kinds_within(naming.categories)
    if naming.uses and rng.random() < 0.3:
        told["material"] = told["silhouette"] = False
        text = _use_text(
            naming, colour if told["colour"] else None, pattern if told["pattern"] else None, rng
        )
    else:
        values = {
            "colour": colour,
            "pattern": pattern,
            "material": material,
            "silhouette": silhouette,
        }
        text = _noun_text(
            naming,
            {name: value for name, value in values.items() if value is not None and told[name]},
            rng,
        )
    codes = {name: getattr(label, name) if wanted else -1 for name, wanted in told.items()}
    return Caption(" ".join(text.split()), fits, **codes)


def _noun_text(naming: Naming, told: dict[str, str], rng: random.Random) -> str:
    """A noun with what is told before or after it, in a template."""
    known = words()
    before: list[str] = []
    after: list[str] = []
    if "colour" in told:
        word = rng.choice(known.colours[told["colour"]])
        _place(before, after, word, rng.choice((f"in {word}", f", {word}")), rng.random() < 0.85)
    if "pattern" in told:
        _place(
            before,
            after,
            rng.choice(known.patterns[told["pattern"]]),
            rng.choice(known.patterns_after[told["pattern"]]),
            rng.random() < 0.7,
        )
    if "material" in told:
        word = told["material"]
        _place(
            before, after, word, rng.choice((f"made of {word}", f"of {word}")), rng.random() < 0.7
        )
    if "silhouette" in told:
        before.append(told["silhouette"])
    if len(before) > 1 and rng.random() < 0.3:
        rng.shuffle(before)
    noun = " ".join([*before, rng.choice(naming.names), *after]).replace(" ,", ",")
    text = rng.choice(known.nouns).format(x=noun)
    return text.replace(" a orange", " an orange")


def _place(
    before: list[str], after: list[str], front: str, back: str, in_front: bool
) -> None:  # two lists, two words
    (before if in_front else after).append(front if in_front else back)


def _use_text(naming: Naming, colour: str | None, pattern: str | None, rng: random.Random) -> str:
    """What the product is for, with the colour and pattern that are told."""
    known = words()
    look = [
        rng.choice(table[word])
        for table, word in ((known.patterns, pattern), (known.colours, colour))
        if word is not None
    ]
    rng.shuffle(look)
    templates = (
        known.uses
        if look
        else ("something {u}", "a thing {u}", "anything {u}", "i need something {u}", "{u}")
    )
    return rng.choice(templates).format(c=" ".join(look), u=rng.choice(naming.uses))
