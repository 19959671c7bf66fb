"""What one request may ask for."""

from __future__ import annotations

from pydantic import Field

from vitrine.settings.groups.group import SettingsGroup

__all__ = ["LimitSettings"]


class LimitSettings(SettingsGroup):
    """What one request may ask for."""

    max_body_mb: float = Field(32, gt=0, le=1024, description="size of a request body")
    max_text_chars: int = Field(10_000, ge=1, description="characters of one query text")
    max_texts: int = Field(16, ge=1, description="texts in one query")
    max_examples: int = Field(100, ge=1, description="products in like and unlike together")
    max_labels: int = Field(
        1000, ge=1, description="labels or texts in one classify, detect or similarity request"
    )
    max_limit: int = Field(200, ge=1, description="hits on one page")
    max_candidates: int = Field(
        10_000, ge=1, description="products in a candidate set that is ranked by score"
    )
    facet_values: int = Field(50, ge=1, le=10_000, description="values listed per facet")
    max_pictures: int = Field(
        4, ge=1, le=64, description="pictures in one query; MAX_BATCH in all queries of a batch"
    )
    max_batch: int = Field(32, ge=1, le=1000, description="searches in one batch")
    max_upsert: int = Field(10_000, ge=1, description="products in one admin upsert")
