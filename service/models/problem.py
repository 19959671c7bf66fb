"""The problem document (RFC 9457)."""

from __future__ import annotations

from pydantic import BaseModel, Field

__all__ = ["MEDIA_TYPE", "Fault", "Problem"]

MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    """What is wrong with one field of the request."""

    field: str
    message: str


class Problem(BaseModel):
    """Why a request was not answered."""

    type: str = Field(
        description="names the kind of problem; about:blank where the status says it all"
    )
    title: str
    status: int
    detail: str
    instance: str = Field(description="the path of the request")
    request_id: str = Field(description="id of this request in the service's log")
    errors: list[Fault] | None = Field(
        default=None,
        description="what is wrong with which field",
        exclude_if=lambda value: value is None,
    )
    reason: str | None = Field(
        default=None, description="code of an image's fault", exclude_if=lambda value: value is None
    )
    job_id: str | None = Field(
        default=None,
        description="the job that is in the way",
        exclude_if=lambda value: value is None,
    )
