"""The index backends that a reindex is tested on, by what their settings say."""

from __future__ import annotations

import os
from typing import Any

BACKENDS: dict[str, dict[str, Any]] = {
    "faiss": {"backend": "faiss"},
    "qdrant-local": {"backend": "qdrant", "qdrant_url": ":memory:"},
}
"""Each runs in one process with threads; what several processes may open is tested on faiss."""

SERVER = os.environ.get("VITRINE_TEST_QDRANT_URL")
if SERVER:
    BACKENDS["qdrant-server"] = {
        "backend": "qdrant",
        "qdrant_url": SERVER,
        "qdrant_api_key": os.environ.get("VITRINE_TEST_QDRANT_API_KEY", ""),
    }
