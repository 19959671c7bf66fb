"""What the admin API asks and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Discriminator, Field, RootModel, Tag, model_validator

from ingest.jobs.models import JobState
from service.models.base import Answer, Body, Incoming, Parameters, Text
from service.models.picture import ImageSource, StoredImage

__all__ = [
    "Changes",
    "DeleteParameters",
    "FailureAnswer",
    "FailuresAnswer",
    "FailuresParameters",
    "FillingAnswer",
    "IngestBody",
    "JobAnswer",
    "JobPath",
    "JobsAnswer",
    "JobsParameters",
    "ProductRow",
    "ProductRows",
    "PublishedAnswer",
    "QueuedAnswer",
    "ReasonAnswer",
    "ReindexRequest",
    "SourceAnswer",
    "VersionAnswer",
    "VersionPath",
    "VersionsAnswer",
    "WarningAnswer",
]

URL, STORED, SENT = "<url>", "<stored>", "<sent>"
"""Tags of the forms of a picture; the brackets keep them out of error messages."""


def _form_of_picture(value: Any) -> str | None:
    if isinstance(value, str):
        return URL
    if isinstance(value, StoredImage) or (isinstance(value, dict) and "key" in value):
        return STORED
    return SENT if isinstance(value, dict | ImageSource) else None


RowImage = Annotated[
    Annotated[Text, Tag(URL)]
    | Annotated[StoredImage, Tag(STORED)]
    | Annotated[ImageSource, Tag(SENT)],
    Discriminator(
        _form_of_picture,
        custom_error_type="image_type",
        custom_error_message="must be a URL, or an object with base64, url or key",
    ),
]
RowImages = Annotated[list[RowImage], Field(min_length=1)]
PICTURES = (
    "the product's pictures, the main one first, each as `image` takes it; pictures that it has "
    "already are not embedded again"
)


class ProductRow(Body):
    """A product to insert or replace; further keys are fields of the catalogue."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "id": "p1",
                "title": "Red dress",
                "price": 49.9,
                "image": {"url": "https://shop.example/p1.jpg"},
            }
        },
    )

    id: Text = Field(min_length=1, max_length=512)
    title: Text = Field(min_length=1)
    image: RowImage | None = Field(
        default=None,
        description="its one picture: a URL, base64, or the key of a picture that is there; "
        "without one a known product keeps its pictures",
    )
    images: RowImages | None = Field(default=None, description=PICTURES)

    @model_validator(mode="after")
    def _either(self) -> Self:
        if self.image is not None and self.images is not None:
            raise ValueError("give image or images, not both")
        return self


class ProductRows(RootModel[Annotated[list[ProductRow], Field(min_length=1)]], Incoming):
    """Products to insert or replace."""


class Changes(Body):
    """Fields and their new values, null empties a field; and the product's pictures."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {"price": 39.9, "in_stock": False},
            "minProperties": 1,
            "additionalProperties": True,
        },
    )

    images: RowImages | None = Field(default=None, description=PICTURES)

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set and not self.model_extra:
            raise ValueError("changes nothing; name at least one field")
        if "images" in self.model_fields_set and self.images is None:
            raise ValueError("images cannot be empty; a product keeps at least one picture")
        return self


class DeleteParameters(Parameters):
    """What becomes of the pictures of a product that is removed."""

    pictures: Literal["keep", "remove"] = Field(
        "keep",
        description="keep: until VITRINE_PICTURE_GRACE_HOURS after no version names them any more; "
        "remove: at once, unless another product shows them",
    )


class ReindexRequest(Body):
    """What to build a new version from; by default the live one's own records and pictures."""

    source: Text | None = Field(default=None, description="a source as `vitrine ingest` takes it")
    model: Text | None = Field(default=None, description="a model other than the live version's")
    verify: bool = Field(default=True, description="check the new version before it is published")
    allow_shrink: bool = Field(
        default=False,
        description="allow more products to be removed than VITRINE_MAX_SHRINK permits",
    )
    mapping: dict[str, Any] | None = Field(
        default=None,
        description="how the source is read, as a preview gives it; "
        "else the live version's mapping",
    )


class IngestBody(Body):
    """A catalogue to ingest as `vitrine ingest` does."""

    source: Text = Field(min_length=1, description="a source as `vitrine ingest` takes it")
    mapping: dict[str, Any] | None = Field(
        default=None,
        description="how the source is read; by default the export is recognized by its columns",
    )
    currency: Text | None = Field(default=None, description="of all prices, such as EUR")
    images: Text | None = Field(default=None, description="address before relative picture names")
    mode: Literal["update", "sync", "replace"] = Field(
        default="update",
        description="what becomes of products that the source does not name: they stay (update), "
        "go (sync), or a new version is built from the source alone (replace)",
    )
    allow_shrink: bool = Field(
        default=False,
        description="allow more products to be removed than VITRINE_MAX_SHRINK permits",
    )


class QueuedAnswer(Answer):
    """The work was accepted and continues in the background."""

    job_id: str
    status_url: str


class JobPath(Parameters):
    """The job that a path names."""

    job_id: str


class VersionPath(Parameters):
    """The index version that a path names."""

    version: str


class JobsParameters(Parameters):
    """How many jobs to list."""

    limit: int = Field(default=50, ge=1, le=1000)


class FailuresParameters(Parameters):
    """Which part of the ledger to list."""

    reason: Text | None = Field(default=None, description="only those with this reason")
    group_by: Literal["reason"] | None = Field(
        default=None, description="`reason`: also count the failures of each reason"
    )
    limit: int = Field(default=100, ge=1, le=1000)
    offset: int = Field(default=0, ge=0, le=2**31)


class SourceAnswer(Answer):
    """How far a job has come with its source, in rows, or how it came out."""

    done: int = Field(description="rows that are in the index")
    unchanged: int = Field(description="those of them that had not changed")
    failed: int = Field(description="rows that failed; see the failures")
    left_out: int = Field(description="rows that the mapping leaves out")
    removed: int = Field(description="products that the source no longer names")
    share: float | None = Field(
        description="how much of the source has been read, from 0 to 1, where rows are not counted"
    )
    refused: bool = Field(description="whether nothing was changed because the source looked wrong")
    nodes: dict[str, float] = Field(
        description="pictures per second of each machine of a cluster; empty where none works"
    )


class JobAnswer(Answer):
    """The state of a job."""

    id: str
    kind: str
    state: JobState
    source: str | None = Field(description="the catalogue that it reads")
    report: SourceAnswer | None = Field(description="its progress through its source")
    done: int
    total: int | None
    failed_items: int
    rate: float | None = Field(description="products per second")
    eta_s: float | None = Field(description="seconds left")
    version: str | None
    error: str | None
    waiting: str | None = Field(description="what it is waiting for; null while it is running")
    waiting_since: datetime | None
    created: datetime
    started: datetime | None = Field(description="when a worker first took it")
    updated: datetime
    ended: datetime | None


class JobsAnswer(Answer):
    """The latest jobs, newest first."""

    jobs: list[JobAnswer]


class FillingAnswer(Answer):
    """How an ingest or a reindex made a version's vectors."""

    device: str
    precision: str
    batch: int = Field(description="pictures embedded at once")
    seconds: float = Field(description="from its start, loading the model included")


class VersionAnswer(Answer):
    """An index version."""

    name: str
    state: str
    backend: str
    model: str
    fingerprint: str
    dimension: int
    count: int
    created: datetime
    filling: FillingAnswer | None = Field(description="null for versions of a reindex")


class VersionsAnswer(Answer):
    """All versions, newest first."""

    versions: list[VersionAnswer]


class PublishedAnswer(Answer):
    """The version that answers now, and the one that did before."""

    live: str
    previous: str | None


class FailureAnswer(Answer):
    """A product that could not be taken."""

    id: str
    stage: str
    reason: str = Field(description="a stable code for programs")
    message: str
    remedy: str = Field(description="what to do about failures of this reason")
    source: str = Field(description="where it was read; `api` for the admin API")
    row: int | None = Field(description="which row of its source, counted from 0")
    place: str = Field(description="where to find it, such as `row 7` of a spreadsheet")
    at: datetime = Field(description="when it last failed")


class ReasonAnswer(Answer):
    """How many failures have a reason, and what to do about them."""

    reason: str
    count: int
    remedy: str


class WarningAnswer(Answer):
    """Something that was taken but looks odd.

    `id` and `place` are those of the first of `count`.
    """

    reason: str
    message: str
    source: str
    id: str
    place: str
    count: int
    at: datetime


class FailuresAnswer(Answer):
    """A part of the ledger, newest first, and what was taken but looks odd."""

    failures: list[FailureAnswer]
    total: int
    groups: list[ReasonAnswer] = Field(
        description="the reasons, the commonest first, where `group_by` asks for them"
    )
    warnings: list[WarningAnswer]
