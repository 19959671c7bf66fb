"""A whole ingest: the right version is chosen, filled, and published when its source is exhausted."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace as changed

from ingest.database import ingest_database
from ingest.failures import Ledger
from ingest.jobs.catalogue_lock import catalogue_lock
from ingest.pipeline.fill import fill_index
from ingest.pipeline.models import IngestTask, PipelineContext, RunControl, Summary
from ingest.runs import Runs
from ingest.sources import Source
from vitrine.errors import Conflict, ModelMismatch, NoLiveVersion, NotFound
from vitrine.fields import Mapping
from vitrine.index import IndexVersions, VectorIndex
from vitrine.wiring import Vitrine

__all__ = ["open_context", "run"]


def open_context(vitrine: Vitrine, *, model: str | None = None) -> PipelineContext:
    """The context of a pipeline, with the configured model or another one; close `runs` is not needed, the process's end does."""
    database = ingest_database(vitrine.settings.data_dir)
    embedder = vitrine.embedder if model is None else vitrine.embedders.get(model)
    return PipelineContext(
        vitrine.settings, embedder, vitrine.images, Ledger(database), Runs(database)
    )


def run(
    vitrine: Vitrine,
    source: Source,
    mapping: Mapping,
    *,
    control: RunControl | None = None,
    replace: bool = False,
) -> Summary:
    """Ingest a source.

    Into the live version where its model and fields agree; else into a new one, which is published when the source is exhausted
    (at least one product must have been taken). An interrupted first ingest is continued. `Conflict` or `ModelMismatch` when
    the live version has other fields or another model; with `replace` a new version is built from this source alone and takes
    the live one's place. `Conflict` also while a reindex or another ingest runs. Errors besides: those of `fill_index`.
    """
    mapping.require_columns(source.columns(set(mapping.columns().values())))
    control = control or RunControl()
    with catalogue_lock(vitrine.settings, "ingest") as lost:
        summary = _run(
            vitrine,
            source,
            mapping,
            RunControl(control.progress, lambda: lost() or control.cancelled()),
            replace,
        )
        if lost():
            raise Conflict(
                "another job has taken the catalogue over meanwhile; run the same command again to go on"
            )
    return summary


def _run(
    vitrine: Vitrine, source: Source, mapping: Mapping, control: RunControl, replace: bool
) -> Summary:
    context = open_context(vitrine)
    versions = vitrine.versions
    target = _target(versions, context, source, mapping, replace)
    summary = fill_index(
        IngestTask(source, mapping, target, reuse_from=_reuse_from(versions, target)),
        context,
        control,
    )
    if summary.cancelled or (not _is_live(versions, target) and target.count() == 0):
        return summary
    if _is_live(versions, target):
        _tidy(versions, context, target.info.name)
        return summary
    if not _is_ready(versions, target.info.name):
        versions.complete(target.info.name)
    before = versions.publish(target.info.name)
    _tidy(versions, context, target.info.name, spare=before)
    return changed(summary, published=True)


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
            raise ModelMismatch(
                f"the live index was built by {live.info.model}, but VITRINE_MODEL is {context.settings.model}; set VITRINE_MODEL back, or "
                f"run `vitrine reindex --model {context.settings.model}` first"
            )
        if live.info.schema != schema:
            raise Conflict(
                f"the live index has the fields {live.info.schema.names()}, but this mapping gives {schema.names()}; use the mapping that "
                "the index was built with, or --replace to build a new index from this source alone in place of the live one"
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
    """The live version, when it is another one that the same model made."""
    live = _live(versions)
    other = (
        live is not None
        and live.info.name != target.info.name
        and live.info.fingerprint == target.info.fingerprint
    )
    return live if other else None


def _is_ready(versions: IndexVersions, name: str) -> bool:
    return any(info.name == name and info.state != "building" for info in versions.list())


def _tidy(
    versions: IndexVersions, context: PipelineContext, live: str, *, spare: str | None = None
) -> None:
    """After a complete run: remove what interrupted ones left half built, and versions beyond those that are kept for rollback."""
    left = {info.name for info in versions.list()} - {live}
    for name in context.runs.clear_unfinished():
        if name in left:
            versions.discard(name)
    versions.prune(keep=context.settings.keep_versions, spare=spare)
