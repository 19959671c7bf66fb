"""Small copies of the vectors, by which a search proposes candidates; the originals decide."""

from __future__ import annotations

import re

from qdrant_client import models

from vitrine.errors import InvalidSettings
from vitrine.index.qdrant.connection import Connection
from vitrine.settings import QdrantSettings

__all__ = ["quantization", "refuse_unknown_quantization", "search_params"]

_TURBO_SINCE = (1, 18)
_TURBO_BITS = {
    "1": models.TurboQuantBitSize.BITS1,
    "1.5": models.TurboQuantBitSize.BITS1_5,
    "2": models.TurboQuantBitSize.BITS2,
    "4": models.TurboQuantBitSize.BITS4,
    "8": models.TurboQuantBitSize.BITS8,
}


def quantization(settings: QdrantSettings) -> models.QuantizationConfig | None:
    """The argument of `create_collection`."""
    if settings.qdrant_quantization == "scalar":
        scalar = models.ScalarQuantizationConfig(
            type=models.ScalarType.INT8, quantile=0.99, always_ram=True
        )
        return models.ScalarQuantization(scalar=scalar)
    if settings.qdrant_quantization == "binary":
        return models.BinaryQuantization(binary=models.BinaryQuantizationConfig(always_ram=True))
    if settings.qdrant_quantization == "turbo":
        turbo = models.TurboQuantQuantizationConfig(
            bits=_TURBO_BITS[settings.qdrant_turbo_bits], always_ram=True
        )
        return models.TurboQuantization(turbo=turbo)
    return None


def refuse_unknown_quantization(connection: Connection, settings: QdrantSettings) -> None:
    """`InvalidSettings` where the server is older than the quantization that is asked of it.

    Such a server would refuse the collection with a message that names no setting.
    """
    if settings.qdrant_quantization != "turbo" or connection.local:
        return
    version = str(connection.read("info").version)
    match = re.match(r"(\d+)\.(\d+)", version)
    if match is None or (int(match[1]), int(match[2])) < _TURBO_SINCE:
        raise InvalidSettings.of(
            "VITRINE_QDRANT_QUANTIZATION",
            f"turbo needs Qdrant {'.'.join(map(str, _TURBO_SINCE))} or newer, this server is"
            f" {version}; upgrade it, or set scalar",
        )


def search_params(settings: QdrantSettings, *, exact: bool) -> models.SearchParams:
    """How one search runs; quantized vectors only propose, the originals decide."""
    if exact:
        return models.SearchParams(exact=True)
    quantized = settings.qdrant_quantization != "none"
    rescored = (
        models.QuantizationSearchParams(rescore=True, oversampling=settings.qdrant_oversampling)
        if quantized
        else None
    )
    return models.SearchParams(
        hnsw_ef=settings.qdrant_hnsw_ef,
        quantization=rescored,
        # by default Qdrant does so where a filter lets less than 40 % through
        acorn=models.AcornSearchParams(enable=True),
    )
