"""What a backup is on disk.

```
manifest.json      what the version says of itself, the moment it is of, and every part with its
                   SHA-256; written last, so that a folder without it is no backup
00001.products     a JSON line for each record: its product, and the keys of its pictures in order
00001.vectors.npy  the rows of all these pictures, one after the other: float32,
                   (pictures, dimension)
00001.texts.npy    where the version keeps vectors of words: float32, (records, dimension)
00002.deleted      a JSON list of ids
00003.learnt       the version's search model, where it has one (`SearchModel.to_bytes`)
```

Parts are replayed in their order: a record replaces an earlier one of its product.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np

from vitrine.errors import StorageUnavailable
from vitrine.fields.schema import Schema
from vitrine.index import VersionInfo
from vitrine.index.fusion import SearchModel
from vitrine.index.product_json import product_from_json, product_to_json
from vitrine.products import Record
from vitrine.storage.atomic import atomic_write

__all__ = [
    "FORMAT",
    "MANIFEST",
    "Manifest",
    "Part",
    "check_parts",
    "read_deleted",
    "read_learnt",
    "read_manifest",
    "read_records",
    "remove_parts",
    "write_deleted",
    "write_learnt",
    "write_manifest",
    "write_records",
]

FORMAT = 1
"""Of the folder; another number is not read."""
MANIFEST = "manifest.json"
_SUFFIXES = (".products", ".vectors.npy", ".texts.npy", ".deleted", ".learnt")


@dataclass(frozen=True)
class Part:
    """One part: records, ids of deleted products, or what the version has learnt of its words, and
    the SHA-256 of each of its files."""

    kind: Literal["records", "deleted", "learnt"]
    number: int
    entries: int
    sha256: Mapping[str, str]


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: the version that was read, and `moment`, at which it was just so."""

    version: str
    backend: str
    model: str
    fingerprint: str
    dimension: int
    text_vectors: bool
    schema: Mapping[str, Any]
    mapping: Mapping[str, Any]
    moment: str
    products: int
    parts: tuple[Part, ...]
    format: int = FORMAT
    filling: Mapping[str, Any] | None = None
    """How the version's vectors were made (`VersionFilling`); earlier releases did not say."""

    @classmethod
    def of(
        cls, info: VersionInfo, *, moment: datetime, products: int, parts: Sequence[Part]
    ) -> Manifest:
        """The manifest of a version's backup."""
        return cls(
            version=info.name,
            backend=info.backend,
            model=info.model,
            fingerprint=info.fingerprint,
            dimension=info.dimension,
            text_vectors=info.text_vectors,
            schema=info.schema.to_dict(),
            mapping=dict(info.mapping),
            moment=moment.isoformat(),
            products=products,
            parts=tuple(parts),
            filling=None if info.filling is None else asdict(info.filling),
        )

    @property
    def fields(self) -> Schema:
        """The schema."""
        return Schema.from_dict(self.schema)


def write_records(folder: Path, number: int, records: Sequence[Record]) -> Part:
    """Write a part of records, durably."""
    lines = (
        b'{"pictures":%s,"product":%s}\n'
        % (json.dumps(r.image_keys).encode(), product_to_json(r.product))
        for r in records
    )
    files = {f"{number:05}.products": b"".join(lines)}
    files[f"{number:05}.vectors.npy"] = _npy(np.concatenate([r.vectors for r in records]))
    texts = [r.text_vector for r in records if r.text_vector is not None]
    if texts:
        files[f"{number:05}.texts.npy"] = _npy(np.stack(texts))
    return Part("records", number, len(records), _written(folder, files))


def read_records(folder: Path, part: Part) -> Iterator[Record]:
    """The records of a part, in their order."""
    rows = np.load(folder / f"{part.number:05}.vectors.npy", mmap_mode="r")
    texts = folder / f"{part.number:05}.texts.npy"
    text_rows = np.load(texts, mmap_mode="r") if texts.name in part.sha256 else None
    row = 0
    with (folder / f"{part.number:05}.products").open("rb") as lines:
        for place, line in enumerate(lines):
            start = line.index(b',"product":')
            keys = tuple(json.loads(line[len(b'{"pictures":') : start]))
            product = product_from_json(line[start + len(b',"product":') : line.rindex(b"}")])
            vectors = np.asarray(rows[row : row + len(keys)], np.float32)
            text = None if text_rows is None else np.asarray(text_rows[place], np.float32)
            yield Record(product, vectors, keys, text)
            row += len(keys)


def write_deleted(folder: Path, number: int, ids: Sequence[str]) -> Part:
    """Write a part of ids whose products are no longer there, durably."""
    files = {f"{number:05}.deleted": json.dumps(sorted(ids)).encode()}
    return Part("deleted", number, len(ids), _written(folder, files))


def read_deleted(folder: Path, part: Part) -> list[str]:
    """The ids of a part."""
    return [str(i) for i in json.loads((folder / f"{part.number:05}.deleted").read_bytes())]


def write_learnt(folder: Path, number: int, model: SearchModel) -> Part:
    """Write a part of what the version has learnt, durably."""
    return Part("learnt", number, 1, _written(folder, {f"{number:05}.learnt": model.to_bytes()}))


def read_learnt(folder: Path, part: Part) -> SearchModel | None:
    """The search model of a part; None for one of another release's making, which is learnt
    anew."""
    try:
        return SearchModel.from_bytes((folder / f"{part.number:05}.learnt").read_bytes())
    except ValueError:
        return None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Make the folder a backup."""
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1)
    atomic_write(folder / MANIFEST, text.encode())


def read_manifest(folder: Path) -> Manifest:
    """The manifest; `StorageUnavailable` for a folder that holds no whole backup."""
    try:
        stored = json.loads((folder / MANIFEST).read_bytes())
        if stored.get("format") != FORMAT:
            raise StorageUnavailable(
                f"{folder} is a backup in format {stored.get('format')}; this release reads "
                f"format {FORMAT}"
            )
        parts = tuple(Part(**part) for part in stored.pop("parts"))
        return Manifest(**stored, parts=parts)
    except FileNotFoundError:
        raise StorageUnavailable(
            f"{folder} holds no backup, or one that was not finished: {MANIFEST} is missing"
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StorageUnavailable(f"{folder / MANIFEST} is damaged: {error}") from error


def check_parts(folder: Path, manifest: Manifest) -> None:
    """Compare every file with its hash; `StorageUnavailable` names the first that differs."""
    for part in manifest.parts:
        for name, expected in part.sha256.items():
            try:
                with (folder / name).open("rb") as file:
                    actual = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise StorageUnavailable(f"{folder / name} cannot be read: {error}") from error
            if actual != expected:
                raise StorageUnavailable(
                    f"{folder / name} is damaged: its SHA-256 is not the manifest's; take another "
                    "copy of the backup"
                )


def remove_parts(folder: Path) -> None:
    """Remove what a backup that was not finished has left."""
    for path in folder.iterdir():
        if path.name[:5].isdigit() and path.name[5:] in _SUFFIXES:
            path.unlink()


def _npy(array: Any) -> bytes:
    buffer = BytesIO()
    np.save(buffer, np.ascontiguousarray(array, "<f4"), allow_pickle=False)
    return buffer.getvalue()


def _written(folder: Path, files: Mapping[str, bytes]) -> dict[str, str]:
    for name, data in files.items():
        atomic_write(folder / name, data)
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
