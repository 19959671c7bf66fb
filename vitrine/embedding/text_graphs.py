"""A text tower as graphs of a few shapes, so that its kernels are launched together and not one by
one from Python.

A forward pass of one text of 16 tokens took 4.5 ms on an H200, nearly all of it launching, and as
one CUDA graph 0.69. A graph reads and writes the same memory each time: texts are padded to its
shape, and what it answers is copied out before the next texts come. Each proves itself before it is
used, by the vectors of known texts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from time import monotonic
from typing import Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from vitrine.embedding.tokenizer import TokenBatch, Tokenizer, TokenizerConfig

__all__ = ["Capture", "TextGraphs", "TextTower", "capture_text_graphs"]

_LENGTHS = (16, 32)
"""Tokens, besides the most that the model reads: queries, titles, and all else."""
_SIZES = (1, 2, 4, 8, 16, 32, 64)
"""Texts at once; a service's queries come up to 32 together."""
_MOST_TOKENS = 5000
"""More at once take the card longer than launching them does: an H200 took 4.8 ms for 256 texts of
10 tokens, as for one text, and 9.0 for 256 of 77."""
_CAPTURING_S = 2.0
"""After which no further shape is captured, so that a program starts soon."""
_ROUNDING = 1e-6
_KINDS = ("dress", "shirt", "shoes", "mug", "chair", "lamp", "bag", "hat")
_COLORS = ("red", "blue", "green", "black", "yellow", "white", "wooden", "striped")

log = logging.getLogger(__name__)

_Shape: TypeAlias = tuple[int, int]
"""Tokens of a text, texts at once."""
_Rows = NDArray[np.float32]


class TextTower(Protocol):
    """The forward pass: ids and mask, both (n, length) int64, to float32 rows (n, dimension) on the
    device; what is there already is not moved."""

    def __call__(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor: ...


class Capture(Protocol):
    """Records what `forward` does on the device.

    Each call of what is returned does it again, on what then lies in the same memory; the rows of
    the call before may be overwritten.
    """

    def __call__(self, forward: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]: ...


class TextGraphs:
    """The graphs of a text tower by shape; safe from several threads.

    They may share memory, so one runs at a time.
    """

    def __init__(self, graphs: Mapping[_Shape, _TextGraph]) -> None:
        self._graphs = dict(sorted(graphs.items()))
        self._lock = Lock()

    def encode(self, tokens: TokenBatch) -> _Rows | None:
        """(n, length) to (n, dimension); None where no graph has room for so many or so long.

        To be called in inference mode, as they were captured.
        """
        count, length = tokens.ids.shape
        for (longest, most), graph in self._graphs.items():
            if length <= longest and count <= most:
                with self._lock:
                    return graph.rows(tokens)
        return None


class _TextGraph:
    """One shape: memory for its texts, and the graph that reads them there."""

    def __init__(
        self, tower: TextTower, shape: _Shape, capture: Capture, *, device: str, pad_id: int
    ) -> None:
        length, size = shape
        self._pad_id = pad_id
        self._tokens = torch.full((2, size, length), pad_id, dtype=torch.int64, device=device)
        ids, mask = self._tokens
        mask.zero_()
        mask[:, 0] = 1  # not all: without padding a tower may take other kernels, to warm up too
        self._replay = capture(lambda: tower(ids, mask))

    def rows(self, tokens: TokenBatch) -> _Rows:
        count, length = tokens.ids.shape
        padded = np.zeros(tuple(self._tokens.shape), np.int64)
        padded[0] = self._pad_id
        padded[0, :count, :length] = tokens.ids
        padded[1, :count, :length] = tokens.mask
        padded[:, count:] = padded[:, :1]  # of padding alone no tower need have a vector
        self._tokens.copy_(torch.from_numpy(padded))
        rows: _Rows = self._replay()[:count].to("cpu", copy=True).numpy()
        return rows


def capture_text_graphs(
    tower: TextTower, tokenizer: Tokenizer, capture: Capture, *, device: str, least_cosine: float
) -> TextGraphs | None:
    """Those graphs whose rows are the plain forward pass's; to be called in inference mode.

    None, and the log says why, where one fails or differs: then the others are not trusted either.
    A shape for which the device lacks memory is left out, also in words.
    """
    began, graphs, too_large = monotonic(), dict[_Shape, _TextGraph](), list[str]()
    for length, size in _shapes(tokenizer.config):
        if monotonic() - began > _CAPTURING_S:
            break
        what = f"{size} x {length} tokens"
        known = tokenizer.encode(_known_texts(tokenizer, length)[:size])
        try:
            graph = _TextGraph(
                tower, (length, size), capture, device=device, pad_id=tokenizer.config.pad_id
            )
            wrong = _difference(graph.rows(known), _plain(tower, known), least_cosine)
        except torch.OutOfMemoryError:
            too_large.append(what)
            continue
        except Exception as error:  # torch raises whatever stops a capture
            cause = str(error).partition("\n")[0]
            wrong = f"capturing failed with {type(error).__name__}: {cause}"
        if wrong is not None:
            log.warning("texts are embedded without CUDA graphs: for %s %s", what, wrong)
            return None
        graphs[length, size] = graph
    if too_large:
        log.warning("%s has no memory for CUDA graphs of %s", device, ", ".join(too_large))
    if not graphs:
        log.warning("texts are embedded without CUDA graphs: there is none that fits them")
        return None
    seconds = monotonic() - began
    log.info("texts are embedded as CUDA graphs of %d shapes, made in %.1f s", len(graphs), seconds)
    return TextGraphs(graphs)


def _shapes(config: TokenizerConfig) -> Iterator[_Shape]:
    """The most useful first.

    Where the tokenizer pads to the longest text of a batch, more padding changes no vector. Where
    it pads to the length that the model was trained on, all texts have that length. In front of a
    text padding moves its tokens, and nothing is captured.
    """
    if config.pad_first and not config.pad_to_length:
        return
    shorter = () if config.pad_to_length else _LENGTHS
    for length in (*(length for length in shorter if length < config.length), config.length):
        yield from ((length, size) for size in _SIZES if size * length <= _MOST_TOKENS)


def _known_texts(tokenizer: Tokenizer, length: int) -> list[str]:
    """As many different texts as the largest batch has, the first as long as `length` allows."""
    texts = [f"a {color} {kind}" for kind in _KINDS for color in _COLORS]
    longest = texts[0]
    for count in range(2, len(texts) + 1):
        longer = " and ".join(texts[:count])
        if len(tokenizer.rows([longer])[0]) > length:
            break
        longest = longer
        if tokenizer.truncates(longer):
            break
    return [longest, *texts[1:]]


def _plain(tower: TextTower, tokens: TokenBatch) -> _Rows:
    rows = tower(torch.from_numpy(tokens.ids), torch.from_numpy(tokens.mask))
    plain: _Rows = rows.cpu().numpy()
    return plain


def _difference(rows: _Rows, plain: _Rows, least_cosine: float) -> str | None:
    """What sets rows (n, d) apart from the plain pass's, in words; None where nothing does."""
    with np.errstate(invalid="ignore", divide="ignore"):  # a row of zeros
        cosines = _unit(rows) @ _unit(plain).T
    least = float(cosines.diagonal().min())
    if not least >= least_cosine:  # also when it is no number
        return (
            f"the vectors differ from those of the plain forward pass (cosine {least:.6f}, at"
            f" least {least_cosine} is asked)"
        )
    if (cosines > cosines.diagonal()[:, None] + _ROUNDING).any():
        return "a vector is nearer to another text's of the plain forward pass than to its own"
    return None


def _unit(rows: _Rows) -> NDArray[np.float64]:
    exact = rows.astype(np.float64)
    return np.asarray(exact / np.linalg.norm(exact, axis=1, keepdims=True))
