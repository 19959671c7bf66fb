"""The settings by room: each room is handed its own group and knows no other.

`Settings` (vitrine.settings.loading) is all of them, read from the environment at start.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = [
    "GROUPS",
    "PREFIX",
    "AddressSettings",
    "DataSettings",
    "EdgeSettings",
    "FaissSettings",
    "FetchSettings",
    "ImageSettings",
    "IndexSettings",
    "IngestSettings",
    "LimitSettings",
    "LogSettings",
    "ModelSettings",
    "QdrantSettings",
    "ServiceSettings",
]

PREFIX = "VITRINE_"
_HOST = "must be http:// or https://, a host and perhaps a port"
_OWN_PATHS = ("admin", "assets", "docs", "health", "metrics", "product", "static", "try", "v1")


def _matching(pattern: str, rule: str) -> AfterValidator:
    """The check that a text fits `pattern`; `rule` says what that means."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(rule)
        return text

    return AfterValidator(check)


def _header_text(value: str | SecretStr) -> str | SecretStr:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    if not (text.isascii() and text.isprintable()):
        raise ValueError("must be printable ASCII characters, for it is sent in a header")
    return value


def _is_address(url: str) -> bool:
    """Whether it is http:// or https://, a host, and a port from 0 to 65535 if it names one."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # reading the port checks it
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


_SearchDevice = Annotated[str, _matching(r"cpu|cuda(:\d+)?", "must be cpu, cuda or cuda:N")]
_Prefix = Annotated[
    str, _matching(r"[A-Za-z0-9_-]{1,60}", "must be 1 to 60 letters, digits, _ or -")
]
_KeyIds = Annotated[
    str,
    _matching(
        r"(\s*\w+\s*(,|$))*",
        "must be ids of search keys, separated by commas, as `vitrine keys list` shows them",
    ),
]
_HeaderText = Annotated[str, AfterValidator(_header_text)]
_HeaderSecret = Annotated[SecretStr, AfterValidator(_header_text)]


class _Group(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
    )


class DataSettings(_Group):
    """Where everything is kept."""

    data_dir: Path = Field(Path("data"), description="folder of everything Vitrine keeps")
    secret_key: SecretStr = Field(
        SecretStr(""),
        description="key of the signatures on cursors and search keys, the same on all machines; "
        "empty: one is made and kept in DATA_DIR",
    )

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, key: SecretStr) -> SecretStr:
        if 0 < len(key.get_secret_value()) < 32:
            raise ValueError("must have 32 characters or more, as `openssl rand -hex 32` prints")
        return key


class LogSettings(_Group):
    """How programs log."""

    log_format: Literal["human", "json"] = Field(
        "human", description="log lines for people or for machines"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least severe level logged"
    )


class ImageSettings(DataSettings):
    """Where pictures are kept, and what one may cost."""

    image_store: str = Field(
        "", description="folder or fsspec URL of the image store; empty: DATA_DIR/images"
    )
    max_image_mb: float = Field(20, gt=0, le=1024, description="size of one image file")
    max_image_side: int = Field(
        30_000, ge=64, le=1_000_000, description="longest side of one image in pixels"
    )
    decode_budget_mb: float = Field(
        256, ge=16, le=65_536, description="memory of all pictures that are decoded at once"
    )
    max_image_megapixels: float = Field(64, gt=0, le=178, description="width x height of one image")
    photo_hours: float = Field(
        24, gt=0, le=8760, description="hours for which a photo sent to /v1/pictures is kept"
    )
    max_photos_mb: float = Field(
        512, gt=0, le=1_000_000, description="size of all such photos together; the oldest go first"
    )


class FetchSettings(ImageSettings):
    """Fetching pictures by URL."""

    catalogue_root: str = Field(
        "",
        description="folder below which the pictures that catalogues name may lie; empty: below "
        "the catalogue's own folder",
    )
    fetch_urls: bool = Field(
        False, description="whether queries may name an image by URL (ingest always may)"
    )
    fetch_private: bool = Field(
        False, description="whether image URLs may point into private networks"
    )
    fetch_timeout_s: float = Field(10, gt=0, le=600, description="seconds for fetching one image")
    fetch_user_agent: _HeaderText = Field(
        "",
        max_length=200,
        description="User-Agent sent when pictures are fetched; empty: Vitrine and its version",
    )
    fetch_per_host: int = Field(
        4, ge=1, le=64, description="pictures that ingest fetches from one host at once"
    )
    fetch_attempts: int = Field(
        5, ge=1, le=20, description="tries of a host that answers 429 or 5xx, or not in time"
    )
    fetch_wait_s: float = Field(
        60, ge=0, le=3600, description="seconds that ingest waits at most when a host asks for it"
    )
    source_timeout_s: float = Field(
        600, gt=0, le=86_400, description="seconds for fetching a catalogue from its address"
    )
    max_source_gb: float = Field(
        10, gt=0, le=1000, description="size of a catalogue that is fetched from its address"
    )


class ModelSettings(DataSettings):
    """The dual encoder and the detector."""

    model: str = Field(
        "openai/clip-vit-base-patch32",
        description="hub name or folder of the dual encoder; bundled is the demo's small CLIP",
    )
    dimension: int = Field(
        0,
        ge=0,
        le=65_536,
        description="leading components of each vector that are kept, where the checkpoint says"
        " that it may be cut (Matryoshka); 0: all",
    )
    detector: str = Field(
        "google/owlvit-base-patch32",
        description="hub name or folder of the detector (OWL-ViT, OWLv2 or Grounding DINO);"
        " bundled is the demo's",
    )
    runtime: Literal["auto", "torch", "onnx"] = Field(
        "auto", description="auto: ONNX Runtime on CPU, torch on CUDA and MPS"
    )
    precision: Literal["auto", "fp32", "int8", "bf16"] = Field(
        "auto",
        description="arithmetic of the model; auto: fp32, but bf16 to embed on a GPU that has it;"
        " int8 needs onnx, bf16 torch",
    )
    device: str = Field("auto", description="auto, cpu, cuda, cuda:N or mps")
    model_threads: int = Field(
        0, ge=0, le=1024, description="threads of the forward pass; 0: one per core"
    )
    embedder_url: str = Field(
        "",
        description="address of a `vitrine embedder` that has the model, such as"
        " http://10.0.0.5:8001; empty: the model is loaded here",
    )
    embedder_token: _HeaderSecret = Field(
        SecretStr(""), description="bearer token of the embedder, the same on both sides"
    )
    query_timeout_s: float = Field(
        30, gt=0, le=3600, description="seconds a query waits for the model before it gets 503"
    )
    embedding_cache: int = Field(
        10_000, ge=0, description="query embeddings kept in memory; 0 keeps none"
    )

    @field_validator("embedder_url")
    @classmethod
    def _known_embedder(cls, url: str) -> str:
        if url and not _is_address(url):
            raise ValueError(_HOST)
        return url.rstrip("/")


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


class QdrantSettings(DataSettings):
    """The Qdrant server and how a collection is laid out there."""

    qdrant_url: str = Field(
        "http://localhost:6333",
        description="address of the Qdrant server, or of several nodes, separated by commas and"
        " tried in turn; a folder or :memory: is the client's local mode",
    )
    qdrant_api_key: _HeaderSecret = Field(SecretStr(""), description="key of the Qdrant server")
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
            wrong = [part for part in urls if not _is_address(part)]
            if wrong:
                raise ValueError(f"{wrong[0]!r} {_HOST}")
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


class IndexSettings(FaissSettings, QdrantSettings):
    """Which index backend answers, and its own settings."""

    backend: Literal["faiss", "qdrant"] = Field(
        "faiss", description="index backend: faiss (embedded, SQLite beneath) or qdrant"
    )


class LimitSettings(_Group):
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


class ServiceSettings(LogSettings):
    """The service and its serving processes."""

    host: str = Field("127.0.0.1", description="address the service binds")
    port: int = Field(8000, ge=0, le=65535, description="port the service binds; 0: any free one")
    workers: int = Field(
        0,
        ge=0,
        le=256,
        description="serving processes; 0: one for two cores, from one to eight",
    )
    threads: int = Field(16, ge=1, le=256, description="threads of each serving process")
    request_timeout_s: int = Field(
        60, ge=1, le=3600, description="seconds after which a stuck serving process is replaced"
    )
    graceful_timeout_s: int = Field(
        30, ge=1, le=3600, description="seconds that running requests get when the service stops"
    )
    admin_token: SecretStr = Field(
        SecretStr(""), description="bearer token of the admin API; empty: the admin API answers 403"
    )
    require_key: bool = Field(
        False, description="whether searches need a search key (`vitrine keys add`)"
    )
    revoked_keys: _KeyIds = Field(
        "",
        description="ids of search keys, separated by commas, that are refused, besides those"
        " revoked by `vitrine keys revoke`",
    )
    client_rate: float = Field(
        0, ge=0, le=100_000, description="requests a second of one client address; 0: any number"
    )


class AddressSettings(_Group):
    """The public address of the service, and what other sites may do with it."""

    public_url: str = Field(
        "", description="address that clients know, such as https://shop.example/search"
    )
    trusted_proxies: str = Field(
        "",
        description="addresses or networks, separated by commas, whose X-Forwarded-For, -Proto, "
        "-Host and -Prefix are believed",
    )
    cors_origins: str = Field(
        "",
        description="origins, separated by commas, whose pages may call the API; * for any",
    )
    frame_ancestors: str = Field(
        "", description="origins, separated by commas, that may show the pages in a frame"
    )

    @field_validator("public_url")
    @classmethod
    def _known_public_url(cls, url: str) -> str:
        if url and not _is_address(url):
            raise ValueError("must be http:// or https://, a host and perhaps a port and a path")
        parts = urlsplit(url)
        if parts.query or parts.fragment or parts.username:
            raise ValueError("must end with the path, and name no user")
        if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*/?", parts.path):
            raise ValueError("must have a path of letters, digits and . _ ~ - only")
        first = parts.path.split("/")[1] if parts.path.strip("/") else ""
        if first in _OWN_PATHS:
            raise ValueError(f"must not begin with /{first}, which is a path of the service itself")
        return url.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _known_networks(cls, text: str) -> str:
        for part in filter(None, map(str.strip, text.split(","))):
            try:
                ip_network(part)
            except ValueError:
                raise ValueError(
                    f"{part!r} is not an address or a network; write 10.0.0.5 or 10.0.0.0/8"
                ) from None
        return text

    @field_validator("cors_origins", "frame_ancestors")
    @classmethod
    def _known_origins(cls, text: str) -> str:
        for part in (part.strip() for part in text.split(",")):
            if part and part != "*" and not re.fullmatch(r"https?://[A-Za-z0-9.-]+(:\d+)?", part):
                raise ValueError(f"{part!r} is not an origin; write https://shop.example")
        return text


class EdgeSettings(_Group):
    """How long a client may take, and how much may be under way at once."""

    queue_size: int = Field(
        64, ge=0, le=10_000, description="requests that may wait for a thread; more get 503"
    )
    max_connections: int = Field(
        1000, ge=10, le=100_000, description="open connections of each serving process"
    )
    max_held_mb: float = Field(
        256, gt=0, le=65_536, description="size of all bodies that are being read at once"
    )
    head_timeout_s: float = Field(
        10, gt=0, le=600, description="seconds that the head of a request may take to arrive"
    )
    body_timeout_s: float = Field(
        300, gt=0, le=3600, description="seconds that a body may take, or an answer to be fetched"
    )
    least_rate_kb: float = Field(
        8, ge=0, le=10_000, description="kB/s that a body must bring, measured over 10 seconds"
    )
    keepalive_s: float = Field(
        15, gt=0, le=600, description="seconds that a connection may idle between two requests"
    )


class IngestSettings(DataSettings):
    """Ingest, reindex, and the jobs of workers."""

    queue_url: str = Field(
        "",
        description="job queue: sqlite:PATH or redis://HOST:PORT/DB; empty: SQLite under DATA_DIR",
    )
    queue_password: SecretStr = Field(
        SecretStr(""), description="password of the Redis queue, any characters"
    )
    batch_size: int = Field(
        0,
        ge=0,
        le=4096,
        description="images embedded at once while ingesting; 0: found by a short calibration",
    )
    decode_threads: int = Field(
        0, ge=0, le=256, description="threads that read and decode images; 0: one per core"
    )
    decode_processes: int = Field(
        -1,
        ge=-1,
        le=256,
        description="processes that read and decode images instead of threads; 0: none, -1: all"
        " cores but two where a card computes, else one for four cores",
    )
    ray_address: str = Field(
        "",
        description="address (HOST:PORT) of a Ray cluster that prepares and embeds the pictures of "
        "ingests and reindexes; empty: this machine does",
    )
    write_batch: int = Field(256, ge=1, le=10_000, description="products committed together")
    keep_versions: int = Field(
        2,
        ge=0,
        le=100,
        description="earlier index versions kept for rollback, above all the one live before",
    )
    worker_threads: int = Field(
        2, ge=1, le=64, description="jobs that one worker process works on at once"
    )
    chunk_size: int = Field(
        256,
        ge=1,
        le=100_000,
        description="products in one chunk of a reindex; workers share the chunks",
    )
    job_lease_s: float = Field(
        60,
        ge=0.5,
        le=3600,
        description="seconds after which the work of a worker that died is taken by another",
    )
    job_attempts: int = Field(
        5,
        ge=1,
        le=100,
        description="tries of a product whose picture cannot be fetched, before it is a failure",
    )
    job_backoff_s: float = Field(
        2,
        ge=0,
        le=3600,
        description="seconds before the second try; doubled each time, to 5 minutes at most",
    )
    keep_jobs: int = Field(
        1000, ge=1, description="finished jobs that are listed whatever their age"
    )
    keep_jobs_hours: float = Field(
        24, ge=0, le=8760, description="hours for which every finished job is listed"
    )
    max_images: int = Field(
        8, ge=1, le=64, description="pictures of each product that are used, the first ones"
    )
    text_vectors: bool = Field(
        True,
        description="whether new versions keep a vector of each product's words beside those of"
        " its pictures",
    )
    picture_grace_hours: float = Field(
        168,
        ge=0,
        le=87_600,
        description="hours for which a picture that no product shows is kept; 0: forever",
    )
    max_shrink: float = Field(
        0.2,
        ge=0,
        le=1,
        description="share of the live products that a run may remove without --allow-shrink",
    )
    verify_sample: int = Field(
        50,
        ge=0,
        le=10_000,
        description="products that a new version must find by each of their pictures to go live",
    )
    judgements: str = Field(
        "",
        description="file of judged queries; a reindex with a lower nDCG on them is not published",
    )
    max_ndcg_drop: float = Field(
        0, ge=0, le=1, description="how much lower the nDCG of a new version may be"
    )

    @field_validator("queue_url")
    @classmethod
    def _known_queue(cls, url: str) -> str:
        if url and not url.startswith(("sqlite:", "redis://", "rediss://")):
            raise ValueError("must start with sqlite:, redis:// or rediss://")
        if url.startswith("redis"):
            _require_redis_address(url)
        return url

    @model_validator(mode="before")
    @classmethod
    def _password_in_address(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Put the password into the queue's address, in which redis-py wants it, encoded."""
        password = values.get("queue_password") or ""
        if isinstance(password, SecretStr):
            password = password.get_secret_value()
        scheme, mark, rest = str(values.get("queue_url") or "").partition("://")
        if not (password and mark) or "@" in rest:
            return values
        return {**values, "queue_url": f"{scheme}://:{quote(password, safe='')}@{rest}"}


def _require_redis_address(url: str) -> None:
    """`ValueError` for an address that has no host, or a port or database that is not a number, as
    one has that holds a password with / ? # or :."""
    try:
        parts = urlsplit(url)
        whole = parts.hostname is not None and (parts.port is None or parts.port > 0)
        whole &= re.fullmatch(r"(/\d*)?", parts.path) is not None
    except ValueError:
        whole = False
    if not whole:
        raise ValueError(
            "cannot be read as redis://HOST:PORT/DB; a password belongs into VITRINE_QUEUE_PASSWORD"
        )


GROUPS: tuple[type[_Group], ...] = (
    DataSettings,
    ModelSettings,
    ImageSettings,
    FetchSettings,
    IndexSettings,
    FaissSettings,
    QdrantSettings,
    ServiceSettings,
    AddressSettings,
    EdgeSettings,
    LimitSettings,
    IngestSettings,
    LogSettings,
)
"""In the order in which they are documented."""
