"""The texts of one run: what no version has a vector of goes to the model beside the pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from ingest.pipeline.flow import Channel, Flow, Promise
from ingest.pipeline.models import (
    IngestTask,
    PendingWrite,
    PipelineContext,
    PreparedText,
)
from ingest.pipeline.retry import retry_while_unavailable
from ingest.pipeline.run_pictures import RunVectors
from ingest.text_vectors import TextVectors
from vitrine.products import Vector

__all__ = ["RunTexts"]


class RunTexts:
    """Safe from several threads."""

    def __init__(
        self,
        task: IngestTask,
        context: PipelineContext,
        flow: Flow,
        out: Channel[PreparedText],
    ) -> None:
        self._texts = TextVectors(task.index, lambda: context.embedder, reuse_from=task.reuse_from)
        self._vectors = RunVectors(flow)
        self._out = out

    def completed(self, writes: Sequence[PendingWrite]) -> list[PendingWrite]:
        """The writes, those that bring vectors with that of their product's text, too, where the
        version keeps one."""
        if not self._texts.enabled:
            return list(writes)
        texts = {write.id: self._texts.text(write.product) for write in writes if write.vectors}
        stored = retry_while_unavailable(partial(self._texts.stored, texts))
        return [
            replace(write, text=self._vector(write.id, texts, stored)) if write.vectors else write
            for write in writes
        ]

    def _vector(
        self,
        product_id: str,
        texts: Mapping[str, str],
        stored: Mapping[str, Vector],
    ) -> Promise[Vector]:
        known = stored.get(product_id)
        if known is not None:
            return self._vectors.resolved(known)
        text = texts[product_id]
        vector, is_first = self._vectors.vector(text)
        if is_first:
            self._out.put(PreparedText(text, vector))
        return vector
