"""What the stages hand to each other, and what a run says of itself."""

from __future__ import annotations

import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ingest.failures import Failure, Ledger
from ingest.pipeline.flow import Promise
from ingest.pipeline.picture_work import PictureWork
from ingest.pipeline.warnings import RunWarnings
from ingest.runs import Runs
from ingest.sources import Source
from vitrine.embedding import Embedder
from vitrine.errors import InvalidImage
from vitrine.fields.mapping import Mapping as CatalogueMapping
from vitrine.index import VectorIndex
from vitrine.products import Product, Vector
from vitrine.settings import Settings

_PLACES = 100_000
"""Rows whose places are remembered: far more than are on their way at once."""

__all__ = [
    "IngestTask",
    "PendingWrite",
    "PipelineContext",
    "PreparedImage",
    "PreparedText",
    "Progress",
    "RunControl",
    "RunStats",
    "Summary",
]


@dataclass(frozen=True)
class IngestTask:
    """What to put where.

    `reuse_from` is another version: a product whose pictures cannot be had now is carried over from
    it, and vectors of the same model are not computed again. With `only`, other rows are read
    (their ids count) but not taken.
    """

    source: Source
    mapping: CatalogueMapping
    index: VectorIndex
    reuse_from: VectorIndex | None = None
    only: frozenset[int] | None = None


@dataclass(frozen=True)
class PipelineContext:
    """What a pipeline works with."""

    settings: Settings
    embedder: Embedder
    ledger: Ledger
    runs: Runs
    work: PictureWork


@dataclass(frozen=True, slots=True)
class Progress:
    """How a run stands; `rate` is products per second lately.

    `total` and `eta_s` are None while unknown. `share` is how much of the source has been read, 0
    to 1, where that can be told but not its rows. `nodes` are pictures per second lately of each
    machine of a cluster, by its name.
    """

    done: int
    unchanged: int
    failed: int
    total: int | None
    rate: float | None
    eta_s: float | None
    left_out: int = 0
    nodes: Mapping[str, float] = field(default_factory=dict)
    share: float | None = None


@dataclass(frozen=True)
class RunControl:
    """Who hears about the progress of a run, and who may stop it.

    `progress` is called a few times a second, `cancelled` before each chunk of rows.
    """

    progress: Callable[[Progress], None] = lambda _: None
    cancelled: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Summary:
    """How a run ended.

    `done` products were written and `unchanged` ones not touched, `embedded` pictures got a vector.
    `failed` rows are in the ledger, counted by reason in `reasons`. `stages` are seconds of work by
    stage, summed over threads; stages overlap.
    """

    version: str
    done: int
    embedded: int
    unchanged: int
    failed: int
    reasons: Mapping[str, int]
    seconds: float
    stages: Mapping[str, float]
    device: str
    precision: str
    batch: int
    """Pictures embedded at once, in the end."""
    total_seconds: float = 0.0
    """All of it: loading the model, and completing and publishing the version, included."""
    cancelled: bool = False
    published: bool = False
    incomplete: int = 0
    """Failed rows whose product was written all the same, without the pictures that failed."""
    removed: int = 0
    """Products that the source no longer names, removed by --sync."""
    refusal: str | None = None
    """Why nothing was removed or published: too many live products would have gone."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Rows that the mapping says not to take, by reason."""
    warnings: Mapping[str, int] = field(default_factory=dict)
    """Products that were taken but look odd, by reason; the ledger says what is odd."""
    nodes: Mapping[str, int] = field(default_factory=dict)
    """Pictures that each machine of a cluster prepared; empty where none worked."""


@dataclass(frozen=True, slots=True, eq=False)
class PreparedImage:
    """A picture ready for the model: pixels as `PictureWork` made them, and who waits for its
    vector."""

    pixels: Any
    vector: Promise[Vector]


@dataclass(frozen=True, slots=True, eq=False)
class PreparedText:
    """What the model reads of a product, and who waits for its vector."""

    text: str
    vector: Promise[Vector]


@dataclass(slots=True, eq=False)
class PendingWrite:
    """What is to be written: a product with its pictures' vectors, or only its fields.

    `text` is the vector of its words, where the version keeps one; `RunTexts` fills it in.

    `known` says that the index has the product, so that its fields can be written whatever becomes
    of its pictures. `failed` rows are in the ledger already and do not count as done.
    """

    row: int
    product: Product
    digest: str | None = None
    image_keys: tuple[str, ...] = ()
    vectors: tuple[Promise[Vector], ...] = ()
    text: Promise[Vector] | None = None
    known: bool = True
    failed: bool = False

    @property
    def id(self) -> str:
        """The product's id."""
        return self.product.id


@dataclass
class RunStats:
    """Counts and times of a run, shared by its threads."""

    source: str
    ledger: Ledger
    run: int
    done: int = 0
    embedded: int = 0
    unchanged: int = 0
    incomplete: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    stages: dict[str, float] = field(default_factory=dict)
    places: OrderedDict[int, str] = field(default_factory=OrderedDict)
    share: float | None = None
    began: float = field(default_factory=time.monotonic)
    warnings: RunWarnings = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _lately: deque[tuple[float, int, Mapping[str, int]]] = field(
        default_factory=lambda: deque(maxlen=60)
    )

    def __post_init__(self) -> None:
        self.warnings = RunWarnings(self.source, self.run)

    def failed(
        self, row: int, product_id: str | None, stage: str, reason: str, message: str
    ) -> None:
        """Put a row into the ledger."""
        place = self.places.get(row, "")
        name = product_id or place or f"row {row}"
        self.ledger.add(
            Failure(name, stage, reason, message, self.source, row, self.run, place=place)
        )
        with self._lock:
            self.reasons[reason] += 1

    def without_picture(self, row: int, product_id: str | None, error: InvalidImage) -> None:
        """Put a row whose picture cannot be used into the ledger."""
        self.failed(
            row,
            product_id,
            "image",
            error.reason,
            "; ".join(field.message for field in error.errors),
        )

    def place(self, row: int, place: str) -> None:
        """Remember where an employee finds a row while it is on its way."""
        with self._lock:
            self.places[row] = place
            if len(self.places) > _PLACES:
                self.places.popitem(last=False)

    def leave_out(self, reason: str) -> None:
        """Count a row that the mapping says not to take."""
        with self._lock:
            self.left_out[reason] += 1

    def count(
        self, *, done: int = 0, embedded: int = 0, unchanged: int = 0, incomplete: int = 0
    ) -> None:
        """Add to the counts."""
        with self._lock:
            self.done += done
            self.incomplete += incomplete
            self.embedded += embedded
            self.unchanged += unchanged

    def took(self, seconds: Mapping[str, float]) -> None:
        """Add to the times of stages."""
        with self._lock:
            for stage, more in seconds.items():
                self.stages[stage] = self.stages.get(stage, 0.0) + more

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.took({stage: time.monotonic() - began})

    def progress(self, total: int | None, nodes: Mapping[str, int]) -> Progress:
        """How it stands; rates are those of the last calls. `nodes` count pictures by machine."""
        with self._lock:
            failed, left_out = self.reasons.total(), self.left_out.total()
            handled = self.done + self.unchanged + failed + left_out
            now = time.monotonic()
            self._lately.append((now, handled, nodes))
            then, before, nodes_before = self._lately[0]
            rate = (handled - before) / (now - then) if now > then else None
            rates = {
                name: (count - nodes_before.get(name, 0)) / (now - then)
                for name, count in nodes.items()
                if now > then
            }
            left = None if total is None else max(0, total - handled)
            eta_s = 0.0 if left == 0 else None if left is None or not rate else left / rate
            share = self.share if total is None else None
            return Progress(
                self.done, self.unchanged, failed, total, rate, eta_s, left_out, rates, share
            )
