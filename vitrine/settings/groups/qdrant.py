"""The Qdrant server and how a collection is laid out there."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from vitrine.settings.groups.checks import HOST_RULE, HeaderSecret, is_address, matching
from vitrine.settings.groups.data import DataSettings

__all__ = ["QdrantSettings"]

_Prefix = Annotated[
    str, matching(r"[A-Za-z0-9_-]{1,60}", "must be 1 to 60 letters, digits, _ or -")
]


class QdrantSettings(DataSettings):
    """The Qdrant server and how a collection is laid out there."""

    qdrant_url: str = Field(
        "http://localhost:6333",
        description="address of the Qdrant server, or of several nodes, separated by commas and"
        " tried in turn; a folder or :memory: is the client's local mode",
    )
    qdrant_api_key: HeaderSecret = Field(SecretStr(""), description="key of the Qdrant server")
    qdrant_grpc: bool = Field(
        True, description="whether requests go over gRPC, which is faster; false: over HTTP only"
    )
    qdrant_grpc_port: int = Field(
        6334, ge=1, le=65535, description="port of the Qdrant server's gRPC"
    )
    qdrant_prefix: _Prefix = Field(
        "vitrine",
        description="prefix of the names of this catalogue's collections and alias",
    )
    qdrant_timeout_s: int = Field(
        5, ge=1, le=600, description="seconds a search waits for Qdrant before it gets 503"
    )
    qdrant_write_timeout_s: int = Field(
        60, ge=1, le=3600, description="seconds a write or a new collection may take"
    )
    qdrant_retries: int = Field(
        2,
        ge=0,
        le=20,
        description="further tries, within its timeout, when Qdrant cannot be reached",
    )
    qdrant_shards: int = Field(
        1,
        ge=1,
        le=1024,
        description="shards of a new collection; about one per node and two million products",
    )
    qdrant_replicas: int = Field(
        1, ge=1, le=100, description="copies of each shard; 2 or more survive the loss of a node"
    )
    qdrant_write_consistency: int = Field(
        1,
        ge=0,
        le=100,
        description="copies that must hold a write even while nodes are away; 0: all of them",
    )
    qdrant_hnsw_m: int = Field(
        16,
        ge=0,
        le=256,
        description="links of each product in the graph; more: better recall, more memory;"
        " 0: no graph, all products are compared",
    )
    qdrant_hnsw_ef_construct: int = Field(
        200, ge=4, le=10_000, description="beam width while the graph is built (ef_construct)"
    )
    qdrant_hnsw_ef: int = Field(
        256,
        ge=1,
        le=100_000,
        description="beam width of a graph search (ef); at least the candidates",
    )
    qdrant_exact_below: int = Field(
        10_000,
        ge=0,
        description="products under the filter up to which all of them are compared, without the"
        " graph",
    )
    qdrant_quantization: Literal["none", "scalar", "binary", "turbo"] = Field(
        "none",
        description="small copies of the vectors in memory, 1/4 (scalar), 1/32 (binary), or by"
        " bits (turbo, from Qdrant 1.18 on); results are rescored with the originals",
    )
    qdrant_turbo_bits: Literal["1", "1.5", "2", "4", "8"] = Field(
        "4", description="bits of each component under turbo; 4: 1/8 of the vectors"
    )
    qdrant_oversampling: float = Field(
        2.0,
        ge=1,
        le=100,
        description="times more candidates that quantized vectors propose for rescoring",
    )
    qdrant_on_disk: bool = Field(
        False,
        description="keep vectors, graph and payload indexes on disk; memory is then only a cache",
    )
    qdrant_payload_on_disk: bool = Field(
        True, description="keep products on disk rather than in memory"
    )
    qdrant_strict: bool = Field(
        True, description="let Qdrant refuse requests that no payload index serves"
    )
    qdrant_tenant_field: str = Field(
        "", description="keyword field by which products are stored together, such as a shop's id"
    )

    @field_validator("qdrant_url")
    @classmethod
    def _known_qdrant(cls, url: str) -> str:
        if url == ":memory:":
            return url
        urls = [part.strip() for part in url.split(",")]
        if all(part.startswith(("http://", "https://")) for part in urls):
            wrong = [part for part in urls if not is_address(part)]
            if wrong:
                raise ValueError(f"{wrong[0]!r} {HOST_RULE}")
            return url
        if any("://" in part for part in urls):
            url = next(p for p in urls if not p.startswith(("http://", "https://")))
        if re.fullmatch(r"[\w.-]+:\d+", url):
            raise ValueError(f"has no http:// in front; write http://{url}")
        if "://" in url or "/" not in url:
            raise ValueError(
                "must start with http:// or https://; for the client's local mode write a folder"
                " such as ./qdrant, or :memory:"
            )
        return url
