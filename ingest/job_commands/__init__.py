"""Commands of the job engine, where the entry points of pyproject.toml find them."""

from ingest.job_commands.job_list import jobs
from ingest.job_commands.programs import up, worker
from ingest.job_commands.reindexing import reindex
from ingest.job_commands.version_list import publish, versions

__all__ = ["jobs", "publish", "reindex", "up", "versions", "worker"]
