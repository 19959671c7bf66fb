"""Models of the Hugging Face hub: from its cache where they are complete, else downloaded,
within bounded time."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

from vitrine.embedding.layouts import is_complete, needed_weights
from vitrine.errors import ModelUnavailable
from vitrine.logs import drop_own_handlers

__all__ = ["cached", "is_name", "snapshot"]

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_REACH_S = 10.0
_SMALL = ("*.json", "*.txt", "*.model")


def is_name(model: str) -> bool:
    """Whether the text could name a model on the hub ("openai/clip-vit-base-patch32")."""
    return _NAME.fullmatch(model) is not None


def snapshot(name: str) -> Path:
    """The folder of the model's files, from the hub's cache when complete there.

    `ModelUnavailable` says what to do when it is not there and the hub does not answer; the first
    answer is awaited ten seconds. A download itself takes as long as bytes keep coming.
    """
    folder = cached(name)
    return folder if folder is not None else _downloaded(name)


def cached(name: str) -> Path | None:
    """The folder of the model's files in the hub's cache, None unless it is complete there; the hub
    is not asked."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    drop_own_handlers("huggingface_hub")
    try:
        folder = Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, OSError, ValueError):
        return None
    return folder if is_complete(folder) else None


def _downloaded(name: str) -> Path:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    drop_own_handlers("huggingface_hub")
    try:
        info = HfApi().model_info(name, timeout=_REACH_S)
        download = partial(snapshot_download, name, revision=info.sha, etag_timeout=_REACH_S)
        folder = Path(download(allow_patterns=list(_SMALL)))  # they say which weights are needed
        names = [sibling.rfilename for sibling in info.siblings or ()]
        return Path(download(allow_patterns=[*_SMALL, *needed_weights(folder, names)]))
    except GatedRepoError:
        raise ModelUnavailable(
            f"the model {name} asks for consent on its hub page; give it there and set HF_TOKEN"
        ) from None
    except RepositoryNotFoundError:
        raise ModelUnavailable(
            f"the hub knows no model {name} (or it is private: then set HF_TOKEN)"
        ) from None
    except (
        Exception
    ) as error:  # httpx, the hub's own, OSError: whatever it was, the model is not here
        raise _unreachable(name, error) from None


def _unreachable(name: str, error: Exception) -> ModelUnavailable:
    cause = " ".join(str(error).split())[:200] or type(error).__name__
    return ModelUnavailable(
        f"the model {name} is not on this machine and the hub cannot be reached ({cause}). Either "
        "download it where the hub can be "
        f"reached (hf download {name} --local-dir FOLDER), copy the folder here and set "
        "VITRINE_MODEL=FOLDER (VITRINE_DETECTOR for the "
        "detector); or point HF_HOME to a hub cache that holds it; or set VITRINE_MODEL=bundled "
        "for the small demo model."
    )
