"""The two layouts of a checkpoint's folder: its files, and whether all are there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

__all__ = ["TOKENIZERS", "WEIGHTS", "Layout", "is_complete", "layout_of", "needed_weights"]

Layout = Literal["transformers", "open_clip"]

WEIGHTS: dict[Layout, tuple[str, ...]] = {
    "transformers": ("model.safetensors", "pytorch_model.bin"),
    "open_clip": (
        "open_clip_model.safetensors",
        "open_clip_pytorch_model.safetensors",
        "open_clip_pytorch_model.bin",
    ),
}
"""Names of a single weight file, the best first."""
TOKENIZERS = (
    "tokenizer.json",
    "tokenizer.model",
    "sentencepiece.bpe.model",
    "spiece.model",
    "vocab.json",
    "vocab.txt",
)
"""Files that hold a vocabulary; a folder without any has no tokenizer."""
_CONFIGS: dict[Layout, str] = {
    "transformers": "config.json",
    "open_clip": "open_clip_config.json",
}


def layout_of(folder: Path, files: Sequence[str] | None = None) -> Layout:
    """Whose layout a folder has: transformers' where it is complete, without code of its own.

    `files` are the names that the folder will have, where its weights are still to be downloaded.
    """
    names = set(files) if files is not None else {path.name for path in folder.glob("*")}
    if _CONFIGS["open_clip"] not in names or not _has_weights("open_clip", names):
        return "transformers"
    own = _CONFIGS["transformers"] in names and _has_weights("transformers", names)
    return "transformers" if own and not _needs_code(folder) else "open_clip"


def is_complete(folder: Path) -> bool:
    """Whether configuration and one kind of weights are there with all parts (a download may have
    broken off)."""
    layout = layout_of(folder)
    if not (folder / _CONFIGS[layout]).exists():
        return False
    for single in WEIGHTS[layout]:
        if (folder / single).exists():
            return True
        index = folder / f"{single}.index.json"
        if index.exists():
            return all((folder / part).exists() for part in _sharded(index))
    return False


def needed_weights(folder: Path, files: Sequence[str]) -> list[str]:
    """The weight files to download of those that the model has, by the small files in the folder:
    one kind, safetensors where there are any."""
    for single in WEIGHTS[layout_of(folder, files)]:
        parts = _parts_of(single, set(files))
        if parts:
            return parts
    return []


def _has_weights(layout: Layout, names: set[str]) -> bool:
    return any(_parts_of(single, names) for single in WEIGHTS[layout])


def _parts_of(single: str, names: set[str]) -> list[str]:
    """The file itself, or the parts into which a large one is cut (model-00001-of-00002)."""
    if single in names:
        return [single]
    stem, _, ending = single.rpartition(".")
    cut = sorted(name for name in names if name.startswith(f"{stem}-") and name.endswith(ending))
    return cut if f"{single}.index.json" in names else []


def _sharded(index: Path) -> set[str]:
    return set(json.loads(index.read_text("utf-8"))["weight_map"].values())


def _needs_code(folder: Path) -> bool:
    """Whether config.json names a program of the checkpoint's own, which Vitrine never runs."""
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and bool(config.get("auto_map"))
