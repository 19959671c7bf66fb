"""The plan of a reindex: the new version is created and the live one cut into ranges of ids."""

from __future__ import annotations

from ingest.jobs.models import BULK, NewItem
from ingest.jobs.work import CopyRange, FillFromSource
from ingest.tasks.reindex.stages import Plan, ReindexRun
from ingest.tasks.reindex.verify import judged_queries
from vitrine.errors import Cancelled, NoLiveVersion
from vitrine.fields import Mapping

__all__ = ["plan_reindex"]


def plan_reindex(run: ReindexRun) -> None:
    """Create the version and queue the items that fill it; continues an earlier attempt."""
    plan = Plan.of(run.job) or _begin(run)
    if plan.cut:
        return
    source = run.request.source
    if source is None:
        _cut(run, plan)
    else:
        item = NewItem(BULK, f"source:{run.job.id}", FillFromSource(source))
        run.extend(Plan(plan.origin, cut=True), [item])


def _begin(run: ReindexRun) -> Plan:
    """Create the version, unless an earlier try has."""
    versions = run.vitrine.versions
    try:
        live = versions.live()
    except NoLiveVersion:
        raise NoLiveVersion(
            "there is no live version to rebuild; run `vitrine ingest SOURCE --map FILE` first"
        ) from None
    if run.job.version is None:
        _discard_nameless(run)
        run.beat.confirm()
        if run.request.verify:
            judged_queries(run.vitrine)  # a file that cannot be read is told now, not at the end
        model = run.request.model or run.vitrine.settings.model
        stored = run.request.mapping
        mapping = None if stored is None else Mapping.from_dict(stored)
        model_info = run.vitrine.embedders.get(model).info
        created = versions.create(
            model=model,
            fingerprint=model_info.fingerprint,
            dimension=model_info.dimension,
            schema=live.info.schema if mapping is None else mapping.schema(),
            mapping=live.info.mapping if mapping is None else mapping.to_dict(),
            text_vectors=run.vitrine.settings.text_vectors,
        )
        total = None if run.request.source else live.count()
        if not run.store.describe(run.job.id, total=total, version=created.info.name):
            versions.discard(created.info.name)
            raise Cancelled("the job has ended")
    plan = Plan(live.info.name)
    run.extend(plan, [])
    return plan


def _discard_nameless(run: ReindexRun) -> None:
    """Remove the version of a worker that died between creating and noting it.

    The lock of the catalogue says that it is ours.
    """
    for info in run.vitrine.versions.list():
        if info.state == "building" and info.created >= run.job.created:
            run.vitrine.versions.discard(info.name)


def _cut(run: ReindexRun, plan: Plan) -> None:
    after = plan.after
    origin = run.vitrine.versions.open(plan.origin or "")
    for ids in origin.scan_ids(after=after, batch=run.vitrine.settings.chunk_size):
        run.beat.check()
        last = ids[-1]
        run.extend(Plan(plan.origin, last), [_range(run, after, last)])
        after = last
    run.extend(Plan(plan.origin, after, cut=True), [_range(run, after, None)])


def _range(run: ReindexRun, after: str | None, upto: str | None) -> NewItem:
    return NewItem(BULK, f"chunk:{run.job.id}:{upto}", CopyRange(after, upto))
