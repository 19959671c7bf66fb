"""`/v1/admin`: products, reindex, jobs, versions and failures, for who holds the token."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from flask_openapi3.types import ResponseDict

from ingest.failures import remedy_of
from ingest.jobs.models import Job
from service.accepting import accept_changes, accept_products, ingest_request, queued
from service.auth import require_admin
from service.container import current_admin, current_vitrine
from service.models.base import answer
from service.models.failures import (
    FailureAnswer,
    FailuresAnswer,
    FailuresParameters,
    ReasonAnswer,
    WarningAnswer,
)
from service.models.jobs import (
    IngestBody,
    JobAnswer,
    JobPath,
    JobsAnswer,
    JobsParameters,
    QueuedAnswer,
    ReindexRequest,
)
from service.models.product_rows import Changes, DeleteParameters, ProductRows
from service.models.versions import (
    FillingAnswer,
    PublishedAnswer,
    VersionAnswer,
    VersionPath,
    VersionsAnswer,
)
from service.products import ProductPath
from vitrine.errors import InvalidProduct, InvalidQuery
from vitrine.fields import Mapping

__all__ = ["admin"]

admin = APIBlueprint("admin", __name__, abp_tags=[Tag(name="Admin")], abp_security=[{"admin": []}])
admin.before_request(require_admin)

_QUEUED: ResponseDict = {202: QueuedAnswer}


@admin.put("/v1/admin/products", responses=_QUEUED)
def put_products(body: ProductRows) -> Response:
    """Insert or replace products, in the background."""
    most = current_vitrine().settings.max_upsert
    if len(body.root) > most:
        raise InvalidProduct.of(
            "", f"holds {len(body.root)} products; from 1 to {most} are allowed at once"
        )
    vitrine = current_vitrine()
    info = vitrine.versions.live().info
    most_images = min(vitrine.settings.max_images, info.max_images)
    accepted = accept_products(body.root, info, max_images=most_images)
    return queued(current_admin().upsert(accepted))


@admin.patch("/v1/admin/products/<id:product_id>", responses=_QUEUED)
def patch_product(path: ProductPath, body: Changes) -> Response:
    """Change fields of a product, or its pictures, and keep the rest, in the background."""
    vitrine = current_vitrine()
    info = vitrine.versions.live().info
    most_images = min(vitrine.settings.max_images, info.max_images)
    changes = accept_changes(body, info.schema, max_images=most_images)
    return queued(current_admin().patch(path.product_id, changes.fields, changes.pictures))


@admin.delete("/v1/admin/products/<id:product_id>", responses=_QUEUED)
def delete_product(path: ProductPath, query: DeleteParameters) -> Response:
    """Remove a product, in the background; removing an unknown one is not an error."""
    deed = current_admin().purge if query.pictures == "remove" else current_admin().delete
    return queued(deed([path.product_id]))


@admin.post("/v1/admin/reindex", responses=_QUEUED)
def reindex(body: ReindexRequest) -> Response:
    """Build a new version, verify it and publish it; 409 names the job while another one runs."""
    mapping = None if body.mapping is None else Mapping.from_dict(body.mapping)
    if mapping is not None and body.source is None:
        raise InvalidQuery.of("mapping", "describes how to read a source; give the source as well")
    return queued(
        current_admin().reindex(
            source=body.source,
            model=body.model,
            verify=body.verify,
            allow_shrink=body.allow_shrink,
            mapping=mapping,
        )
    )


@admin.post("/v1/admin/ingest", responses=_QUEUED)
def ingest(body: IngestBody) -> Response:
    """Ingest or update the products of a source, after what runs now."""
    return queued(current_admin().ingest(ingest_request(body)))


@admin.get("/v1/admin/jobs", responses={200: JobsAnswer})
def jobs(query: JobsParameters) -> Response:
    """List the latest jobs, newest first."""
    return answer(JobsAnswer(jobs=[_job(job) for job in current_admin().jobs(limit=query.limit)]))


@admin.get("/v1/admin/jobs/<job_id>", responses={200: JobAnswer})
def job(path: JobPath) -> Response:
    """The state of a job."""
    return answer(_job(current_admin().job(path.job_id)))


@admin.post("/v1/admin/jobs/<job_id>/cancel", responses={200: JobAnswer})
def cancel(path: JobPath) -> Response:
    """Ask a job to stop; 409 when it has already ended."""
    return answer(_job(current_admin().cancel(path.job_id)))


@admin.get("/v1/admin/versions", responses={200: VersionsAnswer})
def versions() -> Response:
    """List all versions of the index, newest first."""
    listed = [
        VersionAnswer(
            name=v.name,
            state=v.state,
            backend=v.backend,
            model=v.model,
            fingerprint=v.fingerprint,
            dimension=v.dimension,
            count=v.count,
            created=v.created,
            filling=None if v.filling is None else FillingAnswer(**asdict(v.filling)),
        )
        for v in current_vitrine().versions.list()
    ]
    return answer(VersionsAnswer(versions=listed))


@admin.post("/v1/admin/versions/<version>/publish", responses={200: PublishedAnswer})
def publish(path: VersionPath) -> Response:
    """Make a version the live one, in one step: the way back to an earlier one."""
    return answer(
        PublishedAnswer(live=path.version, previous=current_admin().publish(path.version))
    )


@admin.delete("/v1/admin/versions/<version>", responses={204: None})
def discard(path: VersionPath) -> Response:
    """Delete a version and all that it stored; 409 for the live one."""
    current_admin().discard(path.version)
    return Response(status=204)


@admin.get("/v1/admin/failures", responses={200: FailuresAnswer})
def list_failures(query: FailuresParameters) -> Response:
    """List what could not be taken, and why."""
    work = current_admin()
    failures, total = work.failures(limit=query.limit, offset=query.offset, reason=query.reason)
    counts = work.failure_counts(reason=query.reason) if query.group_by else {}
    listed = [
        FailureAnswer(
            id=failure.id,
            stage=failure.stage,
            reason=failure.reason,
            message=failure.message,
            remedy=remedy_of(failure.reason),
            source=failure.source,
            row=failure.row,
            place=failure.place,
            at=failure.at,
        )
        for failure in failures
    ]
    warnings = [
        WarningAnswer.model_validate(warning, from_attributes=True)
        for warning in (work.warnings(limit=query.limit) if query.reason is None else ())
    ]
    groups = [
        ReasonAnswer(reason=reason, count=count, remedy=remedy_of(reason))
        for reason, count in counts.items()
    ]
    return answer(FailuresAnswer(failures=listed, total=total, groups=groups, warnings=warnings))


@admin.post("/v1/admin/failures/retry", responses=_QUEUED)
def retry() -> Response:
    """Try again what could not be taken, in the background."""
    return queued(current_admin().retry_failures())


def _job(job: Job) -> JobAnswer:
    return JobAnswer.model_validate(job, from_attributes=True)
