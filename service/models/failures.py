"""What could not be taken, and what was taken but looks odd."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from service.models.base import Answer, Parameters, Text

__all__ = ["FailureAnswer", "FailuresAnswer", "FailuresParameters", "ReasonAnswer", "WarningAnswer"]


class FailuresParameters(Parameters):
    """Which part of the ledger to list."""

    reason: Text | None = Field(default=None, description="only those with this reason")
    group_by: Literal["reason"] | None = Field(
        default=None, description="`reason`: also count the failures of each reason"
    )
    limit: int = Field(default=100, ge=1, le=1000)
    offset: int = Field(default=0, ge=0, le=2**31)


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
