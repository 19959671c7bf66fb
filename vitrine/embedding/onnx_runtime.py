"""Exported models on ONNX Runtime: no torch, no transformers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from math import ceil
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from vitrine.cores import core_turns, physical_cores, usable_cores
from vitrine.embedding.checkpoint import Checkpoint, Role
from vitrine.embedding.detection import DetectorOutput, OwlDetector
from vitrine.embedding.dual_encoder import DualEncoder
from vitrine.embedding.exported import Export, Precision, exported
from vitrine.embedding.image_preprocessor import ImagePreprocessor
from vitrine.embedding.ports import Compute, ModelInfo
from vitrine.embedding.tokenizer import TokenBatch
from vitrine.errors import ModelUnavailable
from vitrine.settings import ModelSettings

__all__ = [
    "OnnxDetectorModel",
    "OnnxDualEncoderModel",
    "load_onnx_detector",
    "load_onnx_embedder",
    "open_session",
]


_SPIN_US = "10"
"""Microseconds that a thread waits for its next share awake: from one layer to the next, but no
longer than others can spare the core. With 50, a sixth of a batch's processor time went there."""
_SHARE = 4
"""Pictures that one thread takes at a time."""
_TEXTS, _LEAST_TEXTS = 16, 8
"""Texts that one thread takes at a time, and from how many for each thread on they are shared."""


class OnnxDualEncoderModel:
    """The forward passes of an exported dual encoder on the CPU.

    One picture is worked on by all threads together. The pictures of a batch are shared out among
    threads that need not wait for each other within a pass: beside other work, such as decoding,
    that wastes less. Texts have one session, which is as the first ones need it: shared out where
    they are many, as in an ingest, and worked on by all threads together in a service. What is not
    used takes no memory: a service that embeds single queries has no batches.
    """

    def __init__(
        self, export: Export, *, threads: int, masked: bool, precision: Precision = "fp32"
    ) -> None:
        self.compute = Compute("cpu", precision)
        self._image = _Session(export.image_graph, threads)
        self._image_alone = _Session(export.image_graph, 1)
        self._text = _Session(export.text_graph, threads)
        self._text_alone = _Session(export.text_graph, 1)
        self._masked = masked
        self._threads = threads or usable_cores()

    def encode_images(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 3, height, width) to (n, dimension)."""
        return self._shared_out(pixels, np.ascontiguousarray)

    def encode_levels(
        self, levels: NDArray[np.uint8], images: ImagePreprocessor
    ) -> NDArray[np.float32]:
        """(n, height, width, 3), each thread normalizing its own, to (n, dimension)."""
        return self._shared_out(levels, images.normalized)

    def _shared_out(
        self, pictures: NDArray[Any], pixels_of: Callable[[NDArray[Any]], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        def encoded(session: _Session, part: slice) -> NDArray[np.float32]:
            return session.rows({"pixels": pixels_of(pictures[part])})

        if not self._are_shared_out(len(pictures)):
            return encoded(self._image, slice(None))
        return self._in_shares(len(pictures), _SHARE, partial(encoded, self._image_alone))

    def _are_shared_out(self, pictures: int) -> bool:
        """Whether the threads divide so many pictures: where each gets a full share, or where that
        opens no further session, as for the last ones of an ingest."""
        if self._threads == 1 or pictures == 1:
            return False
        return pictures >= _SHARE * self._threads or self._image_alone.opened

    def _in_shares(
        self, count: int, most: int, encoded: Callable[[slice], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """The rows of so many inputs, `most` of which a thread takes in one turn."""

        def encoded_in_turn(part: slice) -> NDArray[np.float32]:
            with core_turns():
                return encoded(part)

        share = min(most, ceil(count / self._threads))
        parts = [slice(start, start + share) for start in range(0, count, share)]
        return np.concatenate(list(self._pool.map(encoded_in_turn, parts)))

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._threads, thread_name_prefix="encode")

    def encode_texts(self, tokens: TokenBatch) -> NDArray[np.float32]:
        """(n, length) to (n, dimension)."""
        inputs = {"ids": tokens.ids} | ({"mask": tokens.mask} if self._masked else {})
        if not self._texts_are_shared_out(len(tokens.ids)):
            return self._text.rows(inputs)

        def encoded(part: slice) -> NDArray[np.float32]:
            return self._text_alone.rows({name: rows[part] for name, rows in inputs.items()})

        return self._in_shares(len(tokens.ids), _TEXTS, encoded)

    def _texts_are_shared_out(self, texts: int) -> bool:
        """As those before; the first ones where each thread gets enough of them."""
        if self._threads == 1 or self._text.opened:
            return False
        return self._text_alone.opened or texts >= _LEAST_TEXTS * self._threads


class _Session:
    """A session that is opened when it is first needed.

    Then `ModelUnavailable` when the graph cannot be loaded.
    """

    def __init__(self, graph: Path, threads: int) -> None:
        self._open = partial(open_session, graph, threads)
        self._session: Any = None
        self._lock = Lock()

    @property
    def opened(self) -> bool:
        """Whether it has been needed."""
        return self._session is not None

    def rows(self, inputs: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
        """The first output."""
        rows: NDArray[np.float32] = self.run(None, inputs)[0]
        return rows

    def run(
        self, names: Sequence[str] | None, inputs: dict[str, NDArray[Any]]
    ) -> list[NDArray[Any]]:
        """`InferenceSession.run` of ONNX Runtime."""
        with self._lock:
            if self._session is None:
                self._session = self._open()
        outputs: list[NDArray[Any]] = self._session.run(names, inputs)
        return outputs


class OnnxDetectorModel:
    """The forward passes of an exported OWL-ViT on the CPU."""

    def __init__(self, export: Export, *, threads: int) -> None:
        self._image = _Session(export.image_graph, threads)
        self._text = _Session(export.text_graph, threads)

    def forward(self, pixels: NDArray[np.float32]) -> DetectorOutput:
        """(1, 3, height, width) to the scene."""
        classes, shift, scale, boxes = self._image.run(
            ["classes", "shift", "scale", "boxes"], {"pixels": np.ascontiguousarray(pixels)}
        )
        return DetectorOutput(classes[0], shift[0], scale[0], boxes[0])

    def encode_texts(self, tokens: TokenBatch) -> NDArray[np.float32]:
        """(n, length) to (n, d)."""
        return self._text.rows({"ids": tokens.ids, "mask": tokens.mask})


def load_onnx_embedder(
    checkpoint: Checkpoint, fingerprint: str, settings: ModelSettings
) -> DualEncoder:
    """The checkpoint on ONNX Runtime, exported first where that has not been done yet."""
    export = _export(checkpoint, fingerprint, settings, role="clip")
    manifest = export.load_manifest()
    model = OnnxDualEncoderModel(
        export,
        threads=settings.model_threads,
        masked=manifest.tokenizer.masked,
        precision=_precision(settings),
    )
    info = ModelInfo(
        checkpoint.name,
        fingerprint,
        manifest.dimension,
        manifest.logit_scale,
        manifest.images.shorter_side,
    )
    return DualEncoder(info, manifest.images, export.load_tokenizer(manifest.tokenizer), model)


def load_onnx_detector(
    checkpoint: Checkpoint, fingerprint: str, settings: ModelSettings
) -> OwlDetector:
    """The detector on ONNX Runtime, exported first where that has not been done yet."""
    export = _export(checkpoint, fingerprint, settings, role="owlvit")
    manifest = export.load_manifest()
    model = OnnxDetectorModel(export, threads=settings.model_threads)
    return OwlDetector(
        checkpoint.name, manifest.images, export.load_tokenizer(manifest.tokenizer), model
    )


def _export(
    checkpoint: Checkpoint, fingerprint: str, settings: ModelSettings, *, role: Role
) -> Export:
    return exported(
        checkpoint,
        settings.data_dir / "models",
        fingerprint=fingerprint,
        role=role,
        precision=_precision(settings),
    )


def _precision(settings: ModelSettings) -> Precision:
    return "int8" if settings.precision == "int8" else "fp32"


def open_session(graph: Path, threads: int) -> Any:
    """A session on the CPU with so many threads (0: one per physical core).

    Left to itself ONNX Runtime takes as many, but ties each of its own to one core. Beside other
    threads that one may be taken, while another is idle: then nobody gets on.
    `ModelUnavailable` when the graph cannot be loaded.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or physical_cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_pattern = (
        False  # planned per shape, and every length of text is another shape
    )
    options.add_session_config_entry("session.intra_op.spin_duration_us", _SPIN_US)
    try:
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions share no base class of their own
        raise ModelUnavailable(
            f"the exported model {graph} cannot be loaded; delete its folder and start again "
            f"({error})"
        ) from error
