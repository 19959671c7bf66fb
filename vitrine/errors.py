"""The exceptions of Vitrine; foreign exceptions become one of these at their adapter's edge.

VitrineError
├── InvalidInput            what the caller sent is wrong; carries one message per field
│   ├── InvalidSettings     a VITRINE_* setting
│   ├── SourceUnavailable   a catalogue that is empty, or cannot be had from its address just now
│   ├── InvalidMapping      a catalogue mapping file, or a source that lacks its columns
│   ├── InvalidProduct      a row of a catalogue
│   ├── InvalidFilter       a filter: unknown field, wrong type, empty range
│   ├── InvalidQuery        a query: nothing or too much to search for, a limit out of range
│   ├── InvalidCursor       a cursor of another query, damaged, or whose version is gone
│   └── InvalidImage        bytes that are not an acceptable image; carries a reason code
├── NotFound                a product, version or job of that name does not exist
├── Conflict                the state forbids it now: a job is running, the version is live
│   └── CatalogueBusy       one reindex or ingest runs at a time, and another one is running
├── ModelUnavailable        the model cannot be loaded; says which and what to do
│   └── ModelLoading        it is being loaded, as at every start
├── ModelBusy               the model is too busy to answer in time; trying again may help
│   └── DeviceFull          its device has too little memory for so many at once
├── DecoderBusy             too many large pictures are being decoded; trying again may help
├── ModelMismatch           the index was built by another model than the one configured
├── IndexUnavailable        the index cannot answer now (down, slow, full, wrong key)
│   ├── NoLiveVersion       no version is live: nothing was published, or the pointer is gone
│   └── VersionGone         the version was removed while it was being read
├── StorageUnavailable      the image store or the disk cannot answer now
├── Abandoned               whoever asked does not wait for the answer any more
└── Cancelled               the work was cancelled by its operator
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

__all__ = [
    "Abandoned",
    "Cancelled",
    "CatalogueBusy",
    "Conflict",
    "DecoderBusy",
    "DeviceFull",
    "FieldError",
    "IndexUnavailable",
    "InvalidCursor",
    "InvalidFilter",
    "InvalidImage",
    "InvalidInput",
    "InvalidMapping",
    "InvalidProduct",
    "InvalidQuery",
    "InvalidSettings",
    "ModelBusy",
    "ModelLoading",
    "ModelMismatch",
    "ModelUnavailable",
    "NoLiveVersion",
    "NotFound",
    "SourceUnavailable",
    "StorageUnavailable",
    "VersionGone",
    "VitrineError",
]


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field of the input, and what would be allowed."""

    field: str
    message: str


class VitrineError(Exception):
    """Base of all errors that Vitrine raises on purpose; its text may be shown to the caller."""

    def __reduce__(self) -> tuple[Any, ...]:
        """For pickle: constructors of subclasses take other arguments than `args`."""
        return _unpickled, (type(self), self.args), self.__dict__


def _unpickled(kind: type[VitrineError], args: tuple[Any, ...]) -> VitrineError:
    """An error made without its constructor; its attributes follow."""
    return kind.__new__(kind, *args)


class InvalidInput(VitrineError):
    """Input that breaks the contract, with one `FieldError` for each thing that is wrong."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__(
            "; ".join(f"{e.field}: {e.message}" if e.field else e.message for e in self.errors)
        )

    @classmethod
    def of(cls, field: str, message: str) -> InvalidInput:
        """The error for a single field; called on a subclass it makes that subclass."""
        return cls([FieldError(field, message)])

    @staticmethod
    @contextmanager
    def within(place: str) -> Iterator[None]:
        """Put the place in the input before each field that an `InvalidInput` inside names."""
        try:
            yield
        except InvalidInput as error:
            faults = [
                FieldError(f"{place}.{e.field}" if e.field else place, e.message)
                for e in error.errors
            ]
            InvalidInput.__init__(error, faults)
            raise


class InvalidSettings(InvalidInput):
    """A setting is unknown, of the wrong type or out of range."""


class SourceUnavailable(InvalidInput):
    """A catalogue's host does not answer with it just now, or it is empty: that may pass."""


class InvalidMapping(InvalidInput):
    """A mapping file that cannot be used, or a source that lacks a mapped column."""


class InvalidProduct(InvalidInput):
    """A catalogue row that is not a valid product; the messages are for a shop's employee."""


class InvalidFilter(InvalidInput):
    """A filter on a field that does not exist or with a value that the field cannot hold."""


class InvalidQuery(InvalidInput):
    """A query whose parts contradict each other or break a limit."""


class InvalidCursor(InvalidInput):
    """A cursor that does not belong to this query or can no longer be continued."""


class InvalidImage(InvalidInput):
    """Bytes that are not an acceptable picture.

    `reason` is a stable code for programs (`empty`, `not_an_image`, `truncated`, `too_many_bytes`,
    `too_many_pixels`, `format_not_allowed`, `missing`, `unreachable`, `forbidden_address`, ...).
    """

    def __init__(self, reason: str, message: str, *, field: str = "image") -> None:
        self.reason = reason
        super().__init__([FieldError(field, message)])


class NotFound(VitrineError):
    """Nothing of that name exists."""


class Conflict(VitrineError):
    """The present state forbids the request; `job_id` names the job in the way, if any."""

    def __init__(self, message: str, *, job_id: str | None = None) -> None:
        self.job_id = job_id
        super().__init__(message)


class CatalogueBusy(Conflict):
    """Another reindex or ingest is under way; it passes."""


class ModelUnavailable(VitrineError):
    """The model cannot be loaded; the text names it and says what to do."""


class ModelLoading(ModelUnavailable):
    """The model is being loaded, as at every start; it will be there soon."""


class ModelBusy(VitrineError):
    """The model did not get to this query within its time limit; the request may succeed later."""


class DeviceFull(ModelBusy):
    """The model's device has too little memory for so many pictures or texts at once."""


class DecoderBusy(VitrineError):
    """Too much memory is in use for decoding pictures; the request may succeed later."""


class ModelMismatch(VitrineError):
    """The index holds vectors of another model than the one that would embed the query."""


class IndexUnavailable(VitrineError):
    """The index is unavailable; the request may succeed later."""


class NoLiveVersion(IndexUnavailable):
    """No index version is live."""


class VersionGone(IndexUnavailable):
    """The version was removed while it was being read; the one that is live now can answer."""


class StorageUnavailable(VitrineError):
    """The image store or the disk cannot answer now."""


class Abandoned(VitrineError):
    """Whoever asked has gone; the rest of the work was not done."""


class Cancelled(VitrineError):
    """The operator cancelled the work."""
