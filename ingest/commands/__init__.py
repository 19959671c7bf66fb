"""Commands of ingest, where the entry points of pyproject.toml find them."""

from ingest.commands.failure_list import failures
from ingest.commands.ingesting import ingest

__all__ = ["failures", "ingest"]
