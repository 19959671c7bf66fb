"""A checkpoint in memory, whatever its layout was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vitrine.embedding.image_preprocessor import ImagePreprocessor
from vitrine.embedding.tokenizer import Tokenizer

__all__ = ["LoadedModel"]


@dataclass(frozen=True)
class LoadedModel:
    """A checkpoint in memory: the model (eval mode, fp32, CPU) and its rules."""

    model: Any
    images: ImagePreprocessor
    tokenizer: Tokenizer

    @property
    def logit_scale(self) -> float:
        """The factor of the model's softmax over cosines.

        CLIP's family keeps its logarithm; ALIGN and TIPSv2 divide by a temperature instead.
        """
        if hasattr(self.model, "logit_scale"):
            return float(self.model.logit_scale.detach().float().exp())
        return 1 / float(self.model.temperature.detach().float())
