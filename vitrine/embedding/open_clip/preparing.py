"""How open_clip prepares pictures and texts, as the rules that Vitrine runs."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from transformers import AutoTokenizer

from vitrine.embedding.image_preprocessor import ImagePreprocessor
from vitrine.embedding.layouts import TOKENIZERS
from vitrine.embedding.open_clip.config import OpenClipConfig
from vitrine.embedding.tokenizer import Tokenizer, TokenizerConfig
from vitrine.embedding.tokenizer_loading import take_over_tokenizer
from vitrine.errors import ModelUnavailable

__all__ = ["image_preprocessor", "load_open_clip_tokenizer"]


def image_preprocessor(config: OpenClipConfig) -> ImagePreprocessor:
    """The rules of `preprocess_cfg`, as open_clip's `image_transform` carries them out by
    torchvision on Pillow's pictures."""
    rules, side = config.preprocess, config.vision.image_size
    square = (side, side)
    method = (
        Image.Resampling.BILINEAR if rules.interpolation == "bilinear" else Image.Resampling.BICUBIC
    )
    return ImagePreprocessor(
        shortest=side if rules.resize_mode == "shortest" else None,
        resized=square if rules.resize_mode == "squash" else None,
        crop=None if rules.resize_mode == "squash" else square,
        resample=int(method),
        scale=1 / 255,
        mean=rules.mean,
        deviation=rules.std,
        inside=square if rules.resize_mode == "longest" else None,
        fill=rules.fill_color,
        rounding="even",
    )


def load_open_clip_tokenizer(folder: Path, config: OpenClipConfig, name: str) -> Tokenizer:
    """The tokenizer of the folder, with open_clip's cleaning, length and padding.

    `ModelUnavailable` when there is none, or it cannot be taken over exactly.
    """
    text = config.text
    if not any((folder / file).exists() for file in TOKENIZERS):
        raise ModelUnavailable(
            f"the model {name} has no tokenizer in {folder}; a checkpoint of open_clip without one "
            "uses CLIP's own: put tokenizer.json and tokenizer_config.json of "
            "openai/clip-vit-base-patch32 beside its weights"
        )
    try:
        original = AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # transformers raises whatever a folder provokes in it
        cause = " ".join(str(error).split())[:300]
        raise ModelUnavailable(
            f"the tokenizer of the model {name} in {folder} cannot be read: {cause}"
        ) from error
    byte_pairs = not text.hf_tokenizer_name
    options = text.tokenizer_kwargs
    wrapped = bool(text.hf_model_name)
    rules = TokenizerConfig(
        length=text.context_length,
        pad_id=0 if byte_pairs else int(original.pad_token_id or 0),
        # all tokens are seen: without a causal mask padding counts, and the last one may be it
        pad_to_length=not wrapped and (text.no_causal_mask or text.pool_type == "last"),
        pad_first=not byte_pairs and original.padding_side == "left",
        masked=wrapped,
        clean=options.clean or ("lower" if byte_pairs else "whitespace"),
        zeroed=int(original.sep_token_id) if options.strip_sep_token else None,
    )
    return take_over_tokenizer(original, rules, name)
