"""Pictures of an ingest or reindex prepared and embedded by a Ray cluster.

Ray runs the stages that grow with the number of pictures; what is the run's own (the source, what
the index has, the ledger, the writes) stays with the process that was started.
"""

from ingest.cluster.picture_work import open_cluster_work

__all__ = ["open_cluster_work"]
