"""Captions of many wordings for labeled pictures, and which picture each of them fits."""

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
    "caption_codes",
    "caption_for",
    "held_out_wordings",
    "label_codes",
]


@dataclass(frozen=True)
class Caption:
    """A text and what it asks for: per kind 1, 0 or -1 (perhaps), and indices of attributes, -1
    where it does not care."""

    text: str
    kinds: tuple[int, ...]
    color: int = -1
    pattern: int = -1
    material: int = -1
    silhouette: int = -1


@dataclass(frozen=True)
class Wording:
    """A free wording of wordings.toml and the drawn products that are right for it.

    None is free.
    """

    text: str
    categories: frozenset[str]
    color: str | None
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
            row.get("color"),
            row.get("pattern"),
            row.get("material"),
        )
        for row in rows
    )


def caption_codes(captions: Sequence[Caption]) -> Tensor:
    """Returns what captions ask for as int16 (C, K + 4): `kinds`, then color, pattern, material
    and silhouette."""
    rows = [
        (*caption.kinds, caption.color, caption.pattern, caption.material, caption.silhouette)
        for caption in captions
    ]
    return torch.tensor(rows, dtype=torch.int16).reshape(-1, len(KINDS) + 4)


def label_codes(labels: Sequence[Label]) -> Tensor:
    """Returns what pictures show as int64 (B, 5): kind, color, pattern, material and silhouette."""
    return torch.tensor(
        [
            (label.kind, label.color, label.pattern, label.material, label.silhouette)
            for label in labels
        ]
    ).reshape(-1, 5)


def agreement(captions: Tensor, labels: Tensor) -> Tensor:
    """Returns int16 (C, B): 1 where the picture fits the caption, 0 where it does not, -1 where
    that is not known."""
    table = captions[:, labels[:, 0]]
    for required, has in zip(captions[:, len(KINDS) :].T, labels[:, 1:].T, strict=True):
        unlike = (required[:, None] >= 0) & (required[:, None] != has[None])
        table = torch.where((table == 0) | (unlike & (has >= 0)), 0, torch.where(unlike, -1, table))
    return table


def caption_for(label: Label, rng: random.Random) -> Caption:
    """Returns a caption that is true of the picture: some of what is known, in one of many
    wordings."""
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
    kind, color, pattern, material, silhouette = label.words
    naming = _naming(kind, rng)
    mentioned = {
        "color": color is not None and rng.random() < 0.8,
        "pattern": pattern is not None and rng.random() < (0.15 if pattern == "plain" else 0.55),
        "material": material is not None and rng.random() < 0.15,
        "silhouette": silhouette is not None
        and len(naming.categories) == 1
        and rng.random() < 0.15,
    }
    fits = kinds_within(naming.categories)
    if naming.uses and rng.random() < 0.3:
        mentioned["material"] = mentioned["silhouette"] = False
        text = _use_text(
            naming,
            color if mentioned["color"] else None,
            pattern if mentioned["pattern"] else None,
            rng,
        )
    else:
        values = {
            "color": color,
            "pattern": pattern,
            "material": material,
            "silhouette": silhouette,
        }
        text = _noun_text(
            naming,
            {
                name: value
                for name, value in values.items()
                if value is not None and mentioned[name]
            },
            rng,
        )
    codes = {name: getattr(label, name) if required else -1 for name, required in mentioned.items()}
    return Caption(" ".join(text.split()), fits, **codes)


def _noun_text(naming: Naming, mentioned: dict[str, str], rng: random.Random) -> str:
    """A noun with what is mentioned before or after it, in a template."""
    known = words()
    before: list[str] = []
    after: list[str] = []
    if "color" in mentioned:
        word = rng.choice(known.colors[mentioned["color"]])
        _place(before, after, word, rng.choice((f"in {word}", f", {word}")), rng.random() < 0.85)
    if "pattern" in mentioned:
        _place(
            before,
            after,
            rng.choice(known.patterns[mentioned["pattern"]]),
            rng.choice(known.patterns_after[mentioned["pattern"]]),
            rng.random() < 0.7,
        )
    if "material" in mentioned:
        word = mentioned["material"]
        _place(
            before, after, word, rng.choice((f"made of {word}", f"of {word}")), rng.random() < 0.7
        )
    if "silhouette" in mentioned:
        before.append(mentioned["silhouette"])
    if len(before) > 1 and rng.random() < 0.3:
        rng.shuffle(before)
    noun = " ".join([*before, rng.choice(naming.names), *after]).replace(" ,", ",")
    text = rng.choice(known.nouns).format(x=noun)
    return text.replace(" a orange", " an orange")


def _place(
    before: list[str], after: list[str], front: str, back: str, in_front: bool
) -> None:  # two lists, two words
    (before if in_front else after).append(front if in_front else back)


def _use_text(naming: Naming, color: str | None, pattern: str | None, rng: random.Random) -> str:
    """What the product is for, with the color and pattern that are mentioned."""
    known = words()
    look = [
        rng.choice(table[word])
        for table, word in ((known.patterns, pattern), (known.colors, color))
        if word is not None
    ]
    rng.shuffle(look)
    templates = (
        known.uses
        if look
        else ("something {u}", "a thing {u}", "anything {u}", "i need something {u}", "{u}")
    )
    return rng.choice(templates).format(c=" ".join(look), u=rng.choice(naming.uses))
