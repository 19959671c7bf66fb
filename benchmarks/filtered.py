"""Filtered search: recall against exact numpy and time against Qdrant's own engine, at every
selectivity."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.interleaved import interleaved
from benchmarks.process_memory import ORIGINALS, OWN, resident_mb
from benchmarks.report import Figure, Report, add_growth, median, percentile
from benchmarks.vectors import SCHEMA, SELECTIVITIES, clustered, fill, queries
from vitrine.filters import Filter, parse_filter
from vitrine.freed_memory import keep_freed_memory
from vitrine.index import IndexQuery, VectorIndex
from vitrine.index.faiss import open_versions
from vitrine.settings import Settings

__all__ = [
    "DIMENSION",
    "LIMIT",
    "add_memory",
    "exact_best",
    "filled",
    "measure",
    "recall_of",
    "share_filter",
]

DIMENSION = 512
LIMIT = 10
RIVAL_UP_TO = 100_000
"""Vectors; the rival builds its graph over a million for longer than 24 minutes on two cores."""


def measure(report: Report, *, sizes: tuple[int, ...], rounds: int) -> None:
    """Figures for each size and selectivity: p95 of a filtered search, its recall@10, and the
    rival's time beside it; then how time and memory grow from one size to the next."""
    keep_freed_memory()  # as a serving process does
    grown: dict[str, dict[int, float]] = defaultdict(dict)
    for size in sizes:
        vectors = clustered(size, DIMENSION, seed=11)
        query_rows = queries(vectors, rounds + 1, seed=12)
        with tempfile.TemporaryDirectory() as folder:
            began = process_time()  # what else the machine does is no growth
            index, shares = filled(Path(folder), vectors)
            grown["filling and publishing, processor time"][size] = process_time() - began
            edge = _edge(Path(folder) / "edge", vectors, shares) if size <= RIVAL_UP_TO else None
            for name, share in SELECTIVITIES.items():
                grown[f"page, median, {name}"][size] = _one(
                    report,
                    f"{size // 1000}k",
                    name,
                    _Case(index, edge, vectors, shares, query_rows, share),
                    rounds,
                )
            index.close()
            grown["memory of a process that searches"][size] = add_memory(
                report, f"{size // 1000}k", Path(folder), query_rows, vectors.nbytes / 1e6
            )
    for name, values in grown.items():
        add_growth(report, name, values)


class _Case:
    """One size and selectivity: three ways to the best ten."""

    def __init__(
        self,
        index: VectorIndex,
        edge: Any,
        vectors: NDArray[np.float32],
        shares: NDArray[np.float64],
        query_rows: NDArray[np.float32],
        share: float,
    ) -> None:
        self.index, self.edge, self.vectors, self.query_rows = index, edge, vectors, query_rows
        self.share = share
        self.allowed = np.flatnonzero(shares < share)
        self.filter = share_filter(share)
        self.plans: dict[str, str] = {}

    def page(self, query: NDArray[np.float32]) -> set[int]:
        """A page as the service asks for it: the best ten of a candidate set of 1000, with their
        products."""
        return self._search("page", query, candidates=1000)

    def counted(self, query: NDArray[np.float32]) -> set[int]:
        """The same with two facets, which are counted over all 1000."""
        return self._search("counted", query, candidates=1000, facets=("color", "price"))

    def ten(self, query: NDArray[np.float32]) -> set[int]:
        """The best ten alone: the question that the rival answers."""
        return self._search("ten", query, candidates=LIMIT)

    def _search(
        self, key: str, query: NDArray[np.float32], *, candidates: int, facets: tuple[str, ...] = ()
    ) -> set[int]:
        query_rows = IndexQuery(
            vector=query, filter=self.filter, candidates=candidates, limit=LIMIT, facets=facets
        )
        answer = self.index.search(query_rows)
        self.plans[key] = answer.search
        return {int(hit.product.id[1:]) for hit in answer.hits}

    def qdrant(self, query: NDArray[np.float32]) -> set[int]:
        import qdrant_edge as q

        bound = (
            q.Filter(must=[q.FieldCondition(key="share", range=q.RangeFloat(lt=self.share))])
            if self.share < 1
            else None
        )
        results = self.edge.query(
            q.QueryRequest(
                query=q.Query.Nearest(query.tolist(), using="image"),
                filter=bound,
                limit=LIMIT,
                with_payload=True,
            )
        )
        return {uuid.UUID(str(p.id)).int for p in results if p.payload}


def _one(report: Report, size: str, share: str, case: _Case, rounds: int) -> float:
    """Figures of one case; the median milliseconds of its page."""
    searches = {"page": case.page, "counted": case.counted, "ten": case.ten} | (
        {"qdrant": case.qdrant} if case.edge is not None else {}
    )
    results: dict[str, list[set[int]]] = {key: [] for key in searches}

    def way(key: str, search: Callable[[NDArray[np.float32]], set[int]]) -> Callable[[], None]:
        return lambda: results[key].append(search(case.query_rows[len(results[key])]))

    seconds = interleaved(
        {key: way(key, search) for key, search in searches.items()},
        rounds=rounds,
        label=f"{size}, {share}",
    )
    p95 = {key: percentile(values, 0.95) * 1e3 for key, values in seconds.items()}
    p50 = {key: median(values) * 1e3 for key, values in seconds.items()}
    limit = 10.0 if len(case.vectors) <= 100_000 else 25.0
    exact = [exact_best(case.vectors, case.allowed, query) for query in case.query_rows]

    def add(
        what: str,
        value: float,
        unit: str,
        target: str,
        met: bool,
        beside: dict[str, float],
        note: str = "",
    ) -> None:
        report.add(Figure(f"{size}: {what}", value, unit, target, met, beside, note, case=share))

    for key, what in (("page", "page"), ("counted", "page with two facets")):
        note = f"plan {case.plans[key]}, p50 {p50[key]:.2f}"
        add(f"{what}, p95", p95[key], "ms", f"<= {limit:g}", p95[key] <= limit, {}, note)
    for key, what in (("page", "page"), ("counted", "page with two facets"), ("ten", "best ten")):
        recall = recall_of(results[key], exact)
        add(
            f"{what}, recall@10",
            recall,
            "",
            ">= 0.99",
            recall >= 0.99,
            {},
            f"plan {case.plans[key]}",
        )
    if case.edge is not None:
        ratio = p50["ten"] / p50["qdrant"]
        beside = {
            "vitrine ms": p50["ten"],
            "qdrant-edge ms": p50["qdrant"],
            "qdrant-edge recall": recall_of(results["qdrant"], exact),
        }
        add("best ten, median against qdrant-edge", ratio, "x", "<= 1.5", ratio <= 1.5, beside)
    return p50["page"]


def add_memory(
    report: Report, name: str, folder: Path, query_rows: NDArray[np.float32], vectors_mb: float
) -> float:
    """Add the resident megabytes, mapped files included, of a process that has searched at every
    selectivity, give them, and add what of them is beside the mapped originals."""
    program = (
        "import json,sys,numpy;from pathlib import Path\n"
        "from benchmarks.filtered import searched_mb\n"
        "print(json.dumps(searched_mb(Path(sys.argv[1]),numpy.load(sys.argv[2]))))"
    )
    np.save(folder / "query_rows.npy", query_rows)
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder), str(folder / "query_rows.npy")],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    parts: dict[str, float] = json.loads(done.stdout)
    used, allowed = sum(parts.values()), 4000 if vectors_mb > 2000 else 1.3 * vectors_mb + 150
    what, beside = f"{name}: memory of a process that searches", {"vectors": vectors_mb}
    report.add(Figure(what, used, "MB", f"<= {allowed:.0f}", used <= allowed, beside))
    _add_beside_originals(report, name, parts, vectors_mb)
    return used


def _add_beside_originals(
    report: Report, name: str, parts: dict[str, float], vectors_mb: float
) -> None:
    """What a million vectors may take beside their originals has a target."""
    others = sum(parts.values()) - parts[ORIGINALS]
    mapped = {kind: mb for kind, mb in parts.items() if kind not in (OWN, ORIGINALS)}
    beside = {
        OWN: parts[OWN],
        "of mapped files": sum(mapped.values()),
        **dict(sorted(mapped.items(), key=lambda part: -part[1])),
    }
    what = f"{name}: that beside the mapped originals"
    if vectors_mb > 2000:
        report.add(Figure(what, others, "MB", "<= 1000", others <= 1000, beside))
    else:
        report.add(Figure(what, others, "MB", beside=beside))


def searched_mb(folder: Path, query_rows: NDArray[np.float32]) -> dict[str, float]:
    """Search the live version of the folder for a page at every selectivity, with facets and
    without, as a serving process would; this process's resident MB by what they are of."""
    keep_freed_memory()
    index = open_versions(Settings(data_dir=folder)).live()
    for share in SELECTIVITIES.values():
        for query in query_rows:
            for facets in ((), ("color", "price")):
                index.search(
                    IndexQuery(
                        vector=query,
                        filter=share_filter(share),
                        candidates=1000,
                        limit=LIMIT,
                        facets=facets,
                    )
                )
    parts = resident_mb()
    index.close()
    return parts


def share_filter(share: float) -> Filter:
    """What lets a share of the products through."""
    return parse_filter({} if share >= 1 else {"share": {"lt": share}}, SCHEMA)


def exact_best(
    vectors: NDArray[np.float32], allowed: NDArray[np.intp], query: NDArray[np.float32]
) -> set[int]:
    """The best ten of the `allowed` products, by brute force.

    Not timed, as its copies of all vectors would sweep the caches before the others.
    """
    # without a filter no copy is needed
    rows = vectors if len(allowed) == len(vectors) else vectors[allowed]
    scores = rows @ query
    count = min(LIMIT, len(scores))
    if count == 0:
        return set()
    return {int(allowed[i]) for i in np.argpartition(-scores, count - 1)[:count]}


def recall_of(results: list[set[int]], exact: list[set[int]]) -> float:
    """The share of the right answers that were found."""
    return sum(len(f & e) for f, e in zip(results, exact, strict=True)) / max(
        1, sum(len(e) for e in exact)
    )


def filled(folder: Path, vectors: NDArray[np.float32]) -> tuple[VectorIndex, NDArray[np.float64]]:
    """A published version of products with these vectors, as `records` takes them, and what each
    has in the field `share`."""
    versions = open_versions(Settings(data_dir=folder))
    index = versions.create(
        model="random", fingerprint="random", dimension=DIMENSION, schema=SCHEMA, mapping={}
    )
    shares = fill(index, vectors)
    versions.complete(index.info.name)
    versions.publish(index.info.name)
    return versions.live(), shares


def _payload(number: int, share: float) -> dict[str, Any]:
    """Fields as many and as long as those of a product, which both sides give back with it."""
    return {
        "title": f"orange thing {number}",
        "price": 99.95,
        "currency": "EUR",
        "color": ["orange"],
        "colors": ["orange"],
        "share": share,
    }


def _edge(folder: Path, vectors: NDArray[np.float32], shares: NDArray[np.float64]) -> Any:
    import qdrant_edge as q

    folder.mkdir(parents=True)
    shard = q.EdgeShard.create(
        str(folder),
        q.EdgeConfig(
            vectors={"image": q.EdgeVectorParams(size=DIMENSION, distance=q.Distance.Cosine)}
        ),
    )
    shard.update(q.UpdateOperation.create_field_index("share", q.PayloadSchemaType.Float))
    with tqdm(total=len(vectors), desc="filling qdrant-edge", leave=False) as bar:
        for start in range(0, len(vectors), 2000):
            points = [
                q.Point(
                    id=str(uuid.UUID(int=i)),
                    vector={"image": vectors[i].tolist()},
                    payload=_payload(i, float(shares[i])),
                )
                for i in range(start, min(start + 2000, len(vectors)))
            ]
            shard.update(q.UpdateOperation.upsert_points(points))
            bar.update(len(points))
    with tqdm(desc="qdrant-edge builds its HNSW", leave=False):
        shard.optimize()
    return shard
