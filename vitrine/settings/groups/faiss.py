"""The embedded index."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vitrine.settings.groups.checks import matching
from vitrine.settings.groups.data import DataSettings

__all__ = ["FaissSettings"]

_SearchDevice = Annotated[str, matching(r"cpu|cuda(:\d+)?", "must be cpu, cuda or cuda:N")]


class FaissSettings(DataSettings):
    """The embedded index."""

    index_timeout_s: float = Field(
        30,
        gt=0,
        le=3600,
        description="seconds that a write or a change of versions waits for others to finish",
    )
    search_device: _SearchDevice = Field(
        "cpu",
        description="what compares vectors: cpu, or cuda or cuda:N, a card that keeps them all in"
        " its memory; searches are exact then, and no graph is built",
    )
    quantize_from: int = Field(
        20_000,
        ge=1,
        description="pictures from which on 8-bit codes of the vectors are kept for scans",
    )
    rabitq_from: int = Field(
        100_000,
        ge=1,
        description="pictures from which on one-bit codes (RaBitQ) are kept as well, which find a"
        " first page where comparing all would take long; below, search is exact",
    )
    hnsw_from: int = Field(
        1_000_000,
        ge=1,
        description="pictures from which on a version gets an HNSW graph: comparing all takes time"
        " in proportion to their number",
    )
    hnsw_m: int = Field(32, ge=4, le=256, description="links of each picture in the graph (M)")
    hnsw_ef_construct: int = Field(
        100,
        ge=10,
        le=10_000,
        description="beam width while the graph is built (ef_construct)",
    )
    hnsw_ef: int = Field(
        256,
        ge=1,
        le=100_000,
        description="smallest beam width of a graph search (ef); it grows with the candidates and"
        " the products",
    )
