"""open_clip_config.json: what the towers are, and how pictures and texts are prepared.

Names and defaults are those of open_clip (`CLIPVisionCfg`, `CLIPTextCfg`, `PreprocessCfg`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from vitrine.errors import ModelUnavailable

__all__ = ["OpenClipConfig", "PreprocessConfig", "TextConfig", "VisionConfig"]

_CONFIG_NAME = "open_clip_config.json"
_TRAINING_ONLY = frozenset(
    (
        *("patch_dropout", "timm_model_pretrained", "timm_drop", "timm_drop_path"),
        *("hf_model_pretrained", "output_tokens", "custom_text", "init_logit_bias"),
        *(
            "matryoshka_dimensions",
            "matryoshka_dims",
            "init_logit_scale",
            "pad_id",
            "attn_pooler_queries",
            "attn_pooler_heads",
        ),
    )
)
"""What changes no vector once a model is trained."""


class _Part(BaseModel):
    """A part of the file.

    A field unknown here would build another model than the one that was trained, so it is refused;
    one that is switched off (null, false, 0, "") changes nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _leave_out_what_changes_nothing(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {
            name: value
            for name, value in values.items()
            if name not in _TRAINING_ONLY
            and ((name in cls.model_fields and value is not None) or bool(value))
        }


class _Activation(_Part):
    approximate: Literal["none", "tanh"] = "none"


class _Norm(_Part):
    eps: float = 1e-5


class VisionConfig(_Part):
    """The picture tower."""

    image_size: int = 224
    layers: int | tuple[int, int, int, int] = 12
    width: int = 768
    head_width: int = 64
    mlp_ratio: float = 4.0
    patch_size: int | None = 16
    no_ln_pre: bool = False
    final_ln_after_pool: bool = False
    pool_type: Literal["tok", "avg"] = "tok"
    pos_embed_type: Literal["learnable", "sin_cos_2d"] = "learnable"
    act_kwargs: _Activation = _Activation()
    norm_kwargs: _Norm = _Norm()
    timm_model_name: str = ""
    timm_pool: str = "avg"
    timm_proj: Literal["linear", "mlp", "none", ""] = "linear"
    timm_proj_bias: bool = False

    @model_validator(mode="before")
    @classmethod
    def _no_projection(cls, values: Any) -> Any:
        """`null` is no projection here, where elsewhere it leaves the default."""
        if isinstance(values, dict) and values.get("timm_proj", "") is None:
            return {**values, "timm_proj": ""}
        return values

    @field_validator("image_size", mode="before")
    @classmethod
    def _square(cls, value: Any) -> Any:
        if isinstance(value, list) and len(set(value)) == 1:
            return value[0]
        return value


class TokenizerOptions(_Part):
    """`tokenizer_kwargs`: how a text is cleaned before it is cut into tokens."""

    clean: Literal["whitespace", "lower", "canonicalize"] | None = None
    strip_sep_token: bool = False


class TextConfig(_Part):
    """The text tower."""

    context_length: int = 77
    vocab_size: int = 49408
    hf_tokenizer_name: str = ""
    tokenizer_kwargs: TokenizerOptions = TokenizerOptions()
    width: int = 512
    heads: int = 8
    layers: int = 12
    mlp_ratio: float = 4.0
    no_causal_mask: bool = False
    pool_type: Literal["first", "last", "argmax", "eos"] = "argmax"
    eos_id: int = 2
    proj_type: Literal["linear", "none"] = "linear"
    proj_bias: bool = False
    act_kwargs: _Activation = _Activation()
    norm_kwargs: _Norm = _Norm()
    hf_model_name: str = ""
    hf_proj_type: Literal["mlp", "linear"] = "mlp"
    hf_pooler_type: Literal["mean_pooler", "cls_pooler", "cls_last_hidden_state_pooler"] = (
        "mean_pooler"
    )


class PreprocessConfig(_Part):
    """How pictures are prepared; the size is always that of the picture tower."""

    size: int | tuple[int, int] | None = None
    mode: Literal["RGB"] = "RGB"
    mean: tuple[float, float, float] = (0.48145466, 0.4578275, 0.40821073)
    std: tuple[float, float, float] = (0.26862954, 0.26130258, 0.27577711)
    interpolation: Literal["bicubic", "bilinear", "random"] = "bicubic"
    resize_mode: Literal["shortest", "longest", "squash"] = "shortest"
    fill_color: int = 0


class _Model(_Part):
    embed_dim: int
    quick_gelu: bool = False
    vision_cfg: VisionConfig
    text_cfg: TextConfig


class OpenClipConfig(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True)

    model: _Model = Field(alias="model_cfg")
    preprocess: PreprocessConfig = Field(PreprocessConfig(), alias="preprocess_cfg")

    @property
    def vision(self) -> VisionConfig:
        """The picture tower."""
        return self.model.vision_cfg

    @property
    def text(self) -> TextConfig:
        """The text tower."""
        return self.model.text_cfg

    @property
    def dimension(self) -> int:
        """Length of both towers' rows."""
        return self.model.embed_dim

    @classmethod
    def load(cls, folder: Path, name: str) -> OpenClipConfig:
        """The file of the folder.

        `ModelUnavailable` when it is missing, damaged, or asks for a part that is not built here.
        """
        path = folder / _CONFIG_NAME
        try:
            return cls.model_validate(json.loads(path.read_text("utf-8")))
        except ValidationError as error:
            places = ", ".join(
                f"{'.'.join(map(str, problem['loc']))} ({problem['msg']})"
                for problem in error.errors()[:3]
            )
            raise ModelUnavailable(
                f"{path} of the model {name} describes a model that Vitrine does not build: "
                f"{places}"
            ) from None
        except (OSError, ValueError) as error:
            raise ModelUnavailable(
                f"the model {name} has no readable {_CONFIG_NAME} in {folder}: {error}"
            ) from None
