"""The metrics about work in the background."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ingest.jobs.models import JobState
from vitrine.errors import VitrineError

if TYPE_CHECKING:
    from ingest.admin import Admin

__all__ = ["JobMetrics"]


class JobMetrics(Collector):
    """Metrics about the jobs, read when scraped; the same from every serving process."""

    def __init__(self, admin: Callable[[], Admin]) -> None:
        self._admin = admin

    def collect(self) -> Iterator[Metric]:
        """Whether the job store answers, and how much there is to do."""
        try:
            stats, jobs = self._admin().queue_stats(), self._admin().jobs()
        except VitrineError:
            yield GaugeMetricFamily("vitrine_jobs_up", "Whether the job store answers", value=0)
            return
        yield GaugeMetricFamily("vitrine_jobs_up", "Whether the job store answers", value=1)
        yield GaugeMetricFamily(
            "vitrine_jobs_open", "Jobs that have not finished", value=stats.open_jobs
        )
        yield GaugeMetricFamily(
            "vitrine_jobs_waiting", "Open jobs that are waiting", value=stats.waiting_jobs
        )
        yield GaugeMetricFamily(
            "vitrine_job_items_open", "Work items not done", value=stats.open_items
        )
        yield GaugeMetricFamily(
            "vitrine_job_oldest_seconds", "Age of the oldest open job", value=stats.oldest_s
        )
        nodes = GaugeMetricFamily(
            "vitrine_node_pictures_per_second",
            "Pictures a node of the cluster prepares per second",
            labels=["job", "node"],
        )
        for job in jobs:
            if job.state is JobState.RUNNING and job.report is not None:
                for node, rate in job.report.nodes.items():
                    nodes.add_metric([job.id, node], rate)
        yield nodes
