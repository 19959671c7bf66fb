"""A whole ingest: the right version is chosen, filled, and published when its source is read."""

from __future__ import annotations

import logging
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from dataclasses import replace as changed
from functools import partial

from ingest.cluster.connection import connect
from ingest.database import ingest_database
from ingest.failures import Ledger
from ingest.jobs.catalogue_lock import catalogue_lock
from ingest.jobs.requests import IngestMode
from ingest.pipeline.fill import fill_index
from ingest.pipeline.models import IngestTask, PipelineContext, RunControl, Summary
from ingest.runs import Run, Runs
from ingest.sources import Source
from ingest.tasks.live_fit import differences, mismatch, unchangeable_differences
from ingest.tasks.picture_work import open_picture_work
from ingest.tasks.shrink import ShrinkLimit, remove_unnamed, shrinkage
from vitrine.errors import (
    Cancelled,
    CatalogueBusy,
    Conflict,
    ModelMismatch,
    NoLiveVersion,
    NotFound,
    SourceUnavailable,
)
from vitrine.fields import Mapping
from vitrine.index import IndexVersions, VectorIndex, VersionFilling
from vitrine.learning import learn_if_stale, learn_version
from vitrine.wiring import Vitrine

__all__ = ["IngestMode", "IngestOptions", "open_context", "run"]

log = logging.getLogger(__name__)

_SPEAK_S = 10.0
"""Seconds between two log lines about the progress."""


@dataclass(frozen=True)
class IngestOptions:
    """How a source is ingested; `allow_shrink` lets any number of products go."""

    mode: IngestMode = IngestMode.UPDATE
    allow_shrink: bool = False


def open_context(vitrine: Vitrine, *, model: str | None = None) -> PipelineContext:
    """What a pipeline works with, for the configured model or another one."""
    if vitrine.settings.ray_address:
        connect(vitrine.settings.ray_address)  # before minutes go into a model
    database = ingest_database(vitrine.settings.data_dir)
    embedder = vitrine.embedder if model is None else vitrine.embedders.get(model)
    work = open_picture_work(vitrine, embedder)
    return PipelineContext(vitrine.settings, embedder, Ledger(database), Runs(database), work)


def run(
    vitrine: Vitrine,
    source: Source,
    mapping: Mapping,
    *,
    control: RunControl | None = None,
    options: IngestOptions | None = None,
) -> Summary:
    """Ingest a source.

    Into the live version where its model and fields agree; else into a new one, which is published
    when the source is exhausted (at least one product must have been taken). An interrupted first
    ingest is continued. When more than MAX_SHRINK of the live products would go, nothing is removed
    or published and the summary has the `refusal`. `Conflict` or `ModelMismatch` when the live
    version has other fields or another model and is not to be replaced. `Conflict` also while a
    reindex or another ingest runs. Errors besides: those of `fill_index`.
    """
    began = time.monotonic()
    _require_columns(source, mapping)
    control, options = control or RunControl(), options or IngestOptions()
    with catalogue_lock(vitrine.settings, "ingest") as lost:
        run_control = RunControl(control.progress, lambda: lost() or control.cancelled())
        with closing(_Ingest(vitrine, source, mapping, options)) as ingest:
            summary = ingest.run(run_control)
        if lost():
            raise CatalogueBusy(
                "another job has taken the catalogue over meanwhile; run the same command again to"
                " go on"
            )
    return changed(summary, total_seconds=time.monotonic() - began)


def _require_columns(source: Source, mapping: Mapping) -> None:
    columns = source.columns(set(mapping.columns().values()))
    if not columns:
        raise SourceUnavailable.of("source", f"{source.name} contains no products")
    mapping.require_columns(columns)


class _Ingest:
    def __init__(
        self, vitrine: Vitrine, source: Source, mapping: Mapping, options: IngestOptions
    ) -> None:
        self._began = time.monotonic()
        self._versions = vitrine.versions
        self._context = open_context(vitrine)
        self._source, self._mapping, self._options = source, mapping, options
        share = 1.0 if options.allow_shrink else vitrine.settings.max_shrink
        self._limit = ShrinkLimit(share)
        self._removed = 0
        self._refusal: str | None = None

    def close(self) -> None:
        """End what works on pictures."""
        self._context.work.close()

    def run(self, control: RunControl) -> Summary:
        """Fill the right version, and publish it where it is not the live one."""
        versions = self._versions
        replace = self._options.mode is IngestMode.REPLACE
        target = _target(versions, self._context, self._source, self._mapping, replace)
        task = IngestTask(
            self._source, self._mapping, target, reuse_from=_reuse_from(versions, target)
        )
        complete = partial(self._remove, target)
        filled = fill_index(task, self._context, control, complete=complete)
        summary = changed(filled, removed=self._removed, refusal=self._refusal or _empty(filled))
        if _is_live(versions, target):
            if not summary.cancelled and summary.refusal is None:
                learn_if_stale(versions, target, self._context.embedder)
                _tidy(versions, self._context, target.info.name)
            return summary
        if summary.cancelled or target.count() == 0:
            return summary
        return self._publish(summary, target, control)

    def _remove(self, target: VectorIndex, completed: Run) -> None:
        if self._options.mode is IngestMode.SYNC:
            self._removed, self._refusal = remove_unnamed(
                target, completed, self._context.runs, self._context.ledger, self._limit
            )

    def _publish(self, summary: Summary, target: VectorIndex, control: RunControl) -> Summary:
        versions, live = self._versions, _live(self._versions)
        if live is not None:
            refusal = self._limit.refusal(shrinkage(live, target), self._source.name)
            if refusal is not None:
                return changed(summary, refusal=refusal)
        learn_version(versions, target, self._context.embedder)
        if not _is_ready(versions, target.info.name):
            try:
                _build_index(versions, target.info.name, control)
            except Cancelled:
                return changed(summary, cancelled=True)
            versions.complete(target.info.name, self._filling(summary))
        before = versions.publish(target.info.name)
        _tidy(versions, self._context, target.info.name, spare=before)
        return changed(summary, published=True)

    def _filling(self, summary: Summary) -> VersionFilling:
        seconds = time.monotonic() - self._began
        return VersionFilling(summary.device, summary.precision, summary.batch, seconds)


def _empty(summary: Summary) -> str | None:
    """The refusal of a source without a single row, which is an accident; None for any other."""
    rows = summary.done + summary.unchanged + summary.failed + sum(summary.left_out.values())
    if rows or summary.cancelled:
        return None
    return "the source has no rows, so nothing was changed"


def _target(
    versions: IndexVersions,
    context: PipelineContext,
    source: Source,
    mapping: Mapping,
    replace: bool,
) -> VectorIndex:
    live = _live(versions)
    info, schema = context.embedder.info, mapping.schema()
    if live is not None and not replace:
        if live.info.fingerprint != info.fingerprint:
            raise ModelMismatch(mismatch(live.info.model, context.settings.model))
        if live.info.schema != schema:
            raise Conflict(
                "the fields of this mapping are not those of the live index:"
                f" {differences(live.info.schema, schema)}; use the mapping that the index was"
                " built with, or --replace to build a new index from this source alone in place of"
                " the live one"
            )
        differing = unchangeable_differences(live.info.mapping, mapping.to_dict())
        if differing:
            log.warning(
                "the live version keeps the %s of the mapping that it was built with; --replace"
                " takes those of this mapping, and embeds no picture again",
                " and ".join(differing),
            )
        return live
    name = context.runs.unfinished(source.name, mapping.to_dict(), fingerprint=info.fingerprint)
    if name is not None and (live is None or name != live.info.name):
        with suppress(NotFound):
            return versions.open(name)
    stored = mapping.to_dict()
    made = versions.create(
        model=context.settings.model,
        fingerprint=info.fingerprint,
        dimension=info.dimension,
        schema=schema,
        mapping=stored,
        text_vectors=context.settings.text_vectors,
    )
    context.runs.record_unfinished(
        made.info.name, source.name, stored, fingerprint=info.fingerprint
    )
    return made


def _live(versions: IndexVersions) -> VectorIndex | None:
    try:
        return versions.live()
    except NoLiveVersion:
        return None


def _is_live(versions: IndexVersions, target: VectorIndex) -> bool:
    live = _live(versions)
    return live is not None and live.info.name == target.info.name


def _reuse_from(versions: IndexVersions, target: VectorIndex) -> VectorIndex | None:
    """The live version, when it is another one."""
    live = _live(versions)
    return None if live is None or live.info.name == target.info.name else live


def _is_ready(versions: IndexVersions, name: str) -> bool:
    return any(info.name == name and info.state != "building" for info in versions.list())


def _build_index(versions: IndexVersions, name: str, control: RunControl) -> None:
    """Build a version's index and log the progress now and then; `Cancelled` when asked to stop."""
    spoken = time.monotonic()

    def tell(share: float) -> None:
        nonlocal spoken
        if control.cancelled():
            raise Cancelled("all products are written; run the same command again to publish them")
        if time.monotonic() - spoken >= _SPEAK_S:
            spoken = time.monotonic()
            log.info("version %s: %.0f %% of its vectors are indexed", name, 100 * share)

    versions.build_index(name, progress=tell)


def _tidy(
    versions: IndexVersions, context: PipelineContext, live: str, *, spare: str | None = None
) -> None:
    """After a complete run: remove what interrupted ones left half built, and surplus versions."""
    left = {info.name for info in versions.list()} - {live}
    for name in context.runs.clear_unfinished():
        if name in left:
            versions.discard(name)
    versions.prune(keep=context.settings.keep_versions, spare=spare)
