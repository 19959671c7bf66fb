"""The index backends that a reindex is tested on, by what their settings say."""

from __future__ import annotations

from typing import Any

BACKENDS: dict[str, dict[str, Any]] = {"faiss": {"backend": "faiss"}}
"""Each runs in one process with threads; what several processes may open is tested on faiss."""
