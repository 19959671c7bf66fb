"""Checkpoints worth using: known_models.toml."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["KnownModel", "known_models"]


class KnownModel(BaseModel):
    """A checkpoint and what it is good for.

    `megabytes` is the size of the weights, `template` the wording that its makers put around a
    label.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["encoder", "detector"] = "encoder"
    use: str
    languages: str
    dimension: int
    megabytes: int
    license: str
    template: str = "{}"


@cache
def known_models() -> tuple[KnownModel, ...]:
    """All of known_models.toml, in its order."""
    text = files("vitrine.embedding").joinpath("known_models.toml").read_text("utf-8")
    return tuple(KnownModel.model_validate(row) for row in tomllib.loads(text)["model"])
