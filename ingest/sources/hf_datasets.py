"""The `datasets` library, kept from writing or telling anything outside Vitrine's folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from vitrine.extras import needs
from vitrine.logs import drop_own_handlers

__all__ = ["streamed"]


def streamed(path: str, *, data_dir: Path, **options: Any) -> Any:
    """`datasets.load_dataset` in streaming mode, with its cache below `data_dir`.

    No download counts, no progress bars.
    """
    cache = str(data_dir / "datasets")
    os.environ.setdefault("HF_DATASETS_CACHE", cache)
    with needs("catalogues", "reading this source"):
        import datasets

    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False
    datasets.utils.logging.set_verbosity_error()
    drop_own_handlers("datasets", "huggingface_hub")
    return datasets.load_dataset(path, streaming=True, cache_dir=cache, **options)
