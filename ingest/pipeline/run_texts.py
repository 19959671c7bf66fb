"""The texts of one run: what no version has a vector of goes to the model beside the pictures."""

from __future__ import annotations

from collections.abc import Sequence
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

    def complete(self, writes: Sequence[PendingWrite]) -> None:
        """Set `text` of the writes that bring pictures' vectors, where the version keeps vectors of
        texts."""
        if not self._texts.enabled:
            return
        texts = {write.id: self._texts.text(write.product) for write in writes if write.vectors}
        new = {write.id for write in writes if not write.known}
        stored = retry_while_unavailable(partial(self._texts.stored, texts, new=new))
        to_embed: list[PreparedText] = []
        for write in writes:
            if write.vectors:
                write.text = self._vector(texts[write.id], stored.get(write.id), to_embed)
        self._out.put_all(to_embed)

    def _vector(
        self, text: str, known: Vector | None, to_embed: list[PreparedText]
    ) -> Promise[Vector]:
        """The vector of a text; `to_embed` takes those that nobody has had made."""
        if known is not None:
            return self._vectors.resolved(known)
        vector, is_first = self._vectors.vector(text)
        if is_first:
            to_embed.append(PreparedText(text, vector))
        return vector
