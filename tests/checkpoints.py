"""Tiny checkpoints with random weights, in the layout transformers saves: real classes and
tokenizers, made in a second.

Everything is seeded, so the same call gives the same files. They know nothing about pictures; they
serve to compare ways of running a model. Fixtures over them: `tests/conftest.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

WORDS = (
    "a photo of a red dress blue green shirt with stripes black leather shoes yellow mug wooden "
    "chair lamp the product "
    "small large cotton summer winter jacket bag hat bottle toy car something to drink coffee "
    "from striped dotted plain"
)
START, END = "<|startoftext|>", "<|endoftext|>"


def clip_tokenizer(length: int = 77) -> Any:
    """A CLIP tokenizer (byte pairs, lower case, start and end marks) whose merges are learned
    from `WORDS`."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import CLIPTokenizer

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    learner = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    learner.pre_tokenizer = pre_tokenizers.Whitespace()
    # the trainer numbers these as it meets them, in a random order, and the number decides between
    # pairs that are equally frequent
    ends = [f"{letter}</w>" for letter in sorted(set(WORDS) - {" "})]
    trainer = trainers.BpeTrainer(
        vocab_size=2000, special_tokens=ends, end_of_word_suffix="</w>", show_progress=False
    )
    learner.train_from_iterator([WORDS], trainer)
    merges = [tuple(pair) for pair in _merges(learner)]
    pieces = [
        *letters,
        *(f"{letter}</w>" for letter in letters),
        *("".join(pair) for pair in merges),
        START,
        END,
    ]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=length)


def _merges(learner: Any) -> list[Any]:
    import json

    return list(json.loads(learner.to_str())["model"]["merges"])


def save_clip(folder: Path, *, seed: int = 0, image_size: int = 32) -> Path:
    """A tiny CLIPModel: shortest edge, center crop, 77 tokens, 24 dimensions."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel

    tokenizer = clip_tokenizer()
    text = {
        **_tower(len(tokenizer)),
        "max_position_embeddings": 77,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {**_tower(), "image_size": image_size, "patch_size": 8}
    _seed(seed)
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=24))
    processor = CLIPImageProcessor(
        size={"shortest_edge": image_size}, crop_size={"height": image_size, "width": image_size}
    )
    return _save(folder, model, processor, tokenizer)


def save_siglip(folder: Path, *, seed: int = 0) -> Path:
    """A tiny SiglipModel: plain resize to a square, rows of exactly 16 tokens without a mask, 24
    dimensions."""
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel

    tokenizer = clip_tokenizer(16)
    text = {**_tower(len(tokenizer)), "max_position_embeddings": 16, "projection_size": 24}
    vision = {**_tower(), "image_size": 32, "patch_size": 8, "hidden_size": 24}
    _seed(seed)
    model = SiglipModel(SiglipConfig(text_config=text, vision_config=vision))
    return _save(folder, model, SiglipImageProcessor(size={"height": 32, "width": 32}), tokenizer)


def save_dual(folder: Path, *, seed: int = 0) -> Path:
    """A tiny VisionTextDualEncoderModel: a ConvNeXt that sees pictures, a BERT with a word-piece
    tokenizer that reads."""
    from transformers import (
        BertConfig,
        ConvNextConfig,
        VisionTextDualEncoderConfig,
        VisionTextDualEncoderModel,
        ViTImageProcessor,
    )

    tokenizer = bert_tokenizer()
    vision = ConvNextConfig(
        image_size=32, hidden_sizes=[8, 16], depths=[1, 1], num_stages=2, patch_size=4
    )
    vision.hidden_size = 16  # the dual encoder asks every tower for one width
    text = BertConfig(**_tower(len(tokenizer)), max_position_embeddings=40)
    _seed(seed)
    model = VisionTextDualEncoderModel(
        VisionTextDualEncoderConfig.from_vision_text_configs(vision, text, projection_dim=24)
    )
    return _save(folder, model, ViTImageProcessor(size={"height": 32, "width": 32}), tokenizer)


def bert_tokenizer() -> Any:
    """Word pieces: whole words of `WORDS`, letters, two endings; 40 tokens."""
    from transformers import BertTokenizer

    pieces = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *sorted(set(WORDS.split())),
        *map(chr, range(97, 123)),
        "##s",
        "##ing",
        ".",
    ]
    return BertTokenizer(
        vocab={piece: number for number, piece in enumerate(dict.fromkeys(pieces))},
        model_max_length=40,
    )


def save_align(folder: Path, *, seed: int = 0) -> Path:
    """A tiny AlignModel: an EfficientNet with levels from -1 to 1 and a BERT, whose softmax has a
    temperature instead of a scale."""
    from transformers import AlignConfig, AlignModel
    from transformers.models.efficientnet.image_processing_pil_efficientnet import (
        EfficientNetImageProcessorPil,
    )

    tokenizer = bert_tokenizer()
    text = {**_tower(len(tokenizer)), "max_position_embeddings": 40}
    vision = {
        **{"image_size": 32, "hidden_dim": 24, "depth_divisor": 8, "kernel_sizes": [3, 5]},
        **{"width_coefficient": 1.0, "depth_coefficient": 1.0, "in_channels": [32, 16]},
        **{"out_channels": [16, 24], "strides": [1, 2], "num_block_repeats": [1, 1]},
        **{"expand_ratios": [1, 2], "depthwise_padding": []},
    }
    _seed(seed)
    model = AlignModel(
        AlignConfig(
            text_config=text, vision_config=vision, projection_dim=24, temperature_init_value=0.02
        )
    )
    processor = EfficientNetImageProcessorPil(
        size={"height": 40, "width": 40},
        crop_size={"height": 32, "width": 32},
        do_center_crop=True,
        rescale_factor=1 / 127.5,
        rescale_offset=True,
        do_normalize=False,
        include_top=True,
    )
    return _save(folder, model, processor, tokenizer, spread=1.5)


def save_tipsv2(folder: Path, *, seed: int = 0) -> Path:
    """A tiny Tipsv2Model, whose picture processor transformers has for torchvision alone."""
    import json

    from transformers import Tipsv2Config, Tipsv2Model
    from transformers.models.tipsv2.tokenization_tipsv2 import Tipsv2Tokenizer

    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    pieces = ["<pad>", "<unk>", *bytes_, "▁", *map(chr, range(97, 123))]
    tokenizer = Tipsv2Tokenizer(
        vocab={piece: number for number, piece in enumerate(pieces)}, merges=[], model_max_length=64
    )
    text = {**_tower(len(tokenizer)), "max_position_embeddings": 64}
    vision = {
        **{"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4},
        **{"image_size": 28, "patch_size": 14},
    }
    _seed(seed)
    model = Tipsv2Model(Tipsv2Config(text_config=text, vision_config=vision))
    _save(folder, model, tokenizer)
    rules = {
        **{"image_processor_type": "Tipsv2ImageProcessor", "size": {"height": 28, "width": 28}},
        **{"do_resize": True, "resample": 2, "do_rescale": True, "rescale_factor": 1 / 255},
        **{"do_normalize": False, "do_convert_rgb": True},
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(rules))
    return folder


def _owl_towers(tokenizer: Any) -> dict[str, dict[str, Any]]:
    """The towers' configurations of a detector over 96 x 96 pixels, 16 tokens."""
    text = {
        **_tower(len(tokenizer)),
        "max_position_embeddings": 16,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    return {
        "text_config": text,
        "vision_config": {**_tower(), "image_size": 96, "patch_size": 16},
    }


def save_owlvit(folder: Path, *, seed: int = 0) -> Path:
    """A tiny OwlViTForObjectDetection over 96 x 96 pixels, 16 tokens."""
    from transformers import OwlViTConfig, OwlViTForObjectDetection, OwlViTImageProcessor

    tokenizer = clip_tokenizer(16)
    towers = _owl_towers(tokenizer)
    _seed(seed)
    model = OwlViTForObjectDetection(OwlViTConfig(**towers, projection_dim=32))
    return _save(
        folder, model, OwlViTImageProcessor(size={"height": 96, "width": 96}), tokenizer, spread=0.1
    )


def save_owlv2(folder: Path, *, seed: int = 0) -> Path:
    """A tiny Owlv2ForObjectDetection over squares of 96 pixels, padded, 16 tokens."""
    from transformers import Owlv2Config, Owlv2ForObjectDetection
    from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil

    tokenizer = clip_tokenizer(16)
    towers = _owl_towers(tokenizer)
    _seed(seed)
    model = Owlv2ForObjectDetection(Owlv2Config(**towers, projection_dim=32))
    processor = Owlv2ImageProcessorPil(size={"height": 96, "width": 96})
    return _save(folder, model, processor, tokenizer, spread=0.1)


def save_grounding_dino(folder: Path, *, seed: int = 0) -> Path:
    """A tiny GroundingDinoForObjectDetection: a Swin, a BERT, 12 places."""
    from transformers import (
        BertConfig,
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        SwinConfig,
    )
    from transformers.models.grounding_dino.image_processing_pil_grounding_dino import (
        GroundingDinoImageProcessorPil,
    )

    tokenizer = bert_tokenizer()
    swin = SwinConfig(
        **{"image_size": 64, "embed_dim": 16, "depths": [1, 1, 1], "num_heads": [2, 2, 2]},
        **{"window_size": 4, "out_features": ["stage2", "stage3"]},
    )
    text = BertConfig(**_tower(len(tokenizer)), max_position_embeddings=64)
    _seed(seed)
    model = GroundingDinoForObjectDetection(
        GroundingDinoConfig(
            **{"backbone_config": swin, "text_config": text, "d_model": 32, "num_queries": 12},
            **{"encoder_layers": 1, "decoder_layers": 2, "num_feature_levels": 2},
            **{"encoder_attention_heads": 4, "decoder_attention_heads": 4, "max_text_len": 32},
            **{"encoder_ffn_dim": 32, "decoder_ffn_dim": 32},
        )
    )
    processor = GroundingDinoImageProcessorPil(
        size={"shortest_edge": 64, "longest_edge": 96}, pad_size=None
    )
    return _save(folder, model, processor, tokenizer, spread=2)


def data_folder(folder: Path, exports: Path) -> Path:
    """A new data folder that finds the exports of the whole run (fixture `exports`)."""
    folder.mkdir()
    (folder / "models").symlink_to(exports)
    return folder


def photo(seed: int, width: int = 90, height: int = 70) -> Image.Image:
    """A smooth, colorful picture that differs by seed: noise of few pixels, enlarged."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (max(2, height // 12), max(2, width // 12), 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def _tower(vocabulary: int | None = None) -> dict[str, Any]:
    sizes: dict[str, Any] = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
    }
    return sizes if vocabulary is None else {**sizes, "vocab_size": vocabulary}


def _seed(seed: int) -> None:
    import torch

    torch.manual_seed(seed)


def _save(folder: Path, model: Any, *parts: Any, spread: float = 4) -> Path:
    from transformers.utils import logging

    logging.disable_progress_bar()
    _spread(model, spread)
    model.save_pretrained(folder)
    for part in parts:
        part.save_pretrained(folder)
    return folder


def _spread(model: Any, factor: float) -> None:
    """Scale the starting weights: larger, so that different inputs give clearly different vectors;
    smaller for OWL-ViT, whose sigmoids saturate."""
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim >= 2 and "embedding" not in name:
                weight.mul_(factor)
