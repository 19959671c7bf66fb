"""Where a model's files are, and the fingerprint that names exactly these weights, preprocessing
and tokenizer."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from vitrine.embedding import hub
from vitrine.embedding.layouts import TOKENIZERS, WEIGHTS, Layout, layout_of
from vitrine.embedding.ports import PREPARATION
from vitrine.errors import ModelUnavailable
from vitrine.storage.atomic import atomic_write

__all__ = ["BUNDLED", "Checkpoint", "Role", "find_checkpoint", "present_checkpoint"]

_log = logging.getLogger(__name__)

BUNDLED = "bundled"
Role = Literal["clip", "owlvit"]

_RULES = ("config.json", "preprocessor_config.json", "processor_config.json")
_TOKENIZER = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "spiece.model",
    "special_tokens_map.json",
)
_MATRYOSHKA = ("matryoshka_dimensions", "matryoshka_dims")
_OPEN_CLIP_RULES = ("open_clip_config.json",)
_HEAD = f"vitrine checkpoint {PREPARATION}\n".encode()


@dataclass(frozen=True)
class Checkpoint:
    """The files of one model in the layout that transformers or open_clip saves."""

    name: str
    folder: Path

    @cached_property
    def layout(self) -> Layout:
        """Whose layout it is; transformers' where both are complete."""
        return layout_of(self.folder)

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """config.json; `ModelUnavailable` when it is missing or damaged."""
        try:
            config: Mapping[str, Any] = json.loads((self.folder / "config.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ModelUnavailable(
                f"the model {self.name} has no readable config.json in {self.folder}: {error}"
            ) from None
        return config

    @cached_property
    def shorter_dimensions(self) -> tuple[int, ...]:
        """Dimensions to which the vectors may be cut, as the configuration says; none for most.

        Only models that were trained for it keep their sense (Kusupati et al. 2022, "Matryoshka
        Representation Learning").
        """
        name = "open_clip_config.json" if self.layout == "open_clip" else "config.json"
        try:
            config = json.loads((self.folder / name).read_text("utf-8"))
        except (OSError, ValueError):
            return ()
        parts = [config, *(part for part in config.values() if isinstance(part, dict))]
        return tuple(
            sorted(
                {int(each) for part in parts for key in _MATRYOSHKA for each in part.get(key, ())}
            )
        )

    @cached_property
    def weights(self) -> tuple[Path, ...]:
        """The weight files, safetensors before torch's own format.

        `ModelUnavailable` when they are missing or incomplete.
        """
        for single in WEIGHTS[self.layout]:
            if (self.folder / single).exists():
                return (self.folder / single,)
            index = self.folder / f"{single}.index.json"
            if index.exists():
                return tuple(
                    self._part(name)
                    for name in sorted(
                        set(json.loads(index.read_text("utf-8"))["weight_map"].values())
                    )
                )
        raise ModelUnavailable(
            f"the model {self.name} has no weights ({' or '.join(WEIGHTS[self.layout])}) in "
            f"{self.folder}"
        )

    def fingerprint(self, memory: Path) -> str:
        """SHA-256 (hex) over weights, configuration, preprocessing and tokenizer.

        The dimension follows from these.

        Hashes of weights are remembered in the folder `memory` by path, size and time of change, so
        that a start is quick.
        """
        total = hashlib.sha256(_HEAD)
        names: tuple[str, ...] = (*_RULES, *_TOKENIZER)
        if self.layout == "open_clip":
            names = (*_OPEN_CLIP_RULES, *dict.fromkeys((*_TOKENIZER, *TOKENIZERS)))
        for path in (*self.weights, *(self.folder / name for name in names)):
            if path.exists():
                total.update(f"{path.name} {_hash_of(path, memory)}\n".encode())
        return total.hexdigest()

    def _part(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            raise ModelUnavailable(
                f"the model {self.name} lacks its weight file {name} in {self.folder}; download "
                "it again"
            )
        return path


def find_checkpoint(model: str, role: Role) -> Checkpoint:
    """The checkpoint that a setting names: `bundled`, a folder, or a model on the hub
    (downloaded once, then kept)."""
    local = _local(model, role)
    if local is not None:
        return local
    require_place(model, role)
    return Checkpoint(model, hub.snapshot(model))


def require_place(model: str, role: Role) -> None:
    """`ModelUnavailable` for what is neither here nor a name that a hub could have."""
    hub_name = hub.is_name(model) and not model.startswith((".", "~", os.sep))
    if _local(model, role) is None and not hub_name:
        raise ModelUnavailable(
            f"the model folder {model} does not exist; name a folder with config.json and "
            "weights, or a hub model"
        )


def present_checkpoint(model: str, role: Role) -> Checkpoint | None:
    """The checkpoint where it is on this machine already; no hub is asked."""
    try:
        local = _local(model, role)
    except ModelUnavailable:
        return None
    if local is not None or not hub.is_name(model):
        return local
    folder = hub.cached(model)
    return None if folder is None else Checkpoint(model, folder)


def _local(model: str, role: Role) -> Checkpoint | None:
    if model == BUNDLED:
        return Checkpoint(BUNDLED, _bundled(role))
    folder = Path(model).expanduser()
    return Checkpoint(model, folder.absolute()) if folder.is_dir() else None


def _bundled(role: Role) -> Path:
    demo = find_spec("demo")
    for place in (demo.submodule_search_locations or ()) if demo else ():
        folder = Path(place) / "checkpoints" / role
        if (folder / "config.json").exists():
            return folder
    raise ModelUnavailable(
        f"the bundled model ({role}) is not part of this installation; set VITRINE_MODEL or "
        "VITRINE_DETECTOR to another"
    )


def _hash_of(path: Path, memory: Path) -> str:
    if path.stat().st_size < 1_000_000:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    seen = path.stat()
    key = hashlib.sha256(f"{path.resolve()} {seen.st_size} {seen.st_mtime_ns}".encode()).hexdigest()
    remembered = memory / "hashes" / key
    known = remembered.read_bytes() if remembered.exists() else b""
    if re.fullmatch(rb"[0-9a-f]{64}", known):  # a damaged one is computed again
        return known.decode("ascii")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    try:
        atomic_write(remembered, digest.encode("ascii"))
    except OSError as error:
        _log.warning(
            "the hash of %s is not remembered, the next start computes it again: %s", path, error
        )
    return digest
