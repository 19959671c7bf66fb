"""A job's request and its progress through a source, as the stores keep them."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from ingest.jobs.models import Kind
from ingest.jobs.requests import IngestRequest, ReindexRequest, SourceReport

__all__ = ["read_details", "stored_details"]


def stored_details(
    request: ReindexRequest | IngestRequest | None, report: SourceReport | None
) -> dict[str, str | None]:
    """Both as JSON texts by the name of their column; None where there is none."""
    return {
        name: None if value is None else json.dumps(asdict(value))
        for name, value in (("request", request), ("report", report))
    }


def read_details(kind: Kind, request: str | None, report: str | None) -> dict[str, Any]:
    """The values that `stored_details` stored for a job of that kind."""
    request_type = IngestRequest if kind is Kind.INGEST else ReindexRequest
    return {
        "request": None if request is None else request_type(**json.loads(request)),
        "report": None if report is None else SourceReport(**json.loads(report)),
    }
