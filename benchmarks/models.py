"""A full-size model to measure with: ViT-B/32 of random weights, which is as fast as the trained
one and needs no hub."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

__all__ = ["bundled_checkpoint", "full_size_checkpoint"]


def full_size_checkpoint(folder: Path, *, tokenizer: Path, layers: int = 12) -> Path:
    """Write (once) a CLIP ViT-B/32 with random weights beside the tokenizer files of another CLIP
    checkpoint; returns the folder.

    Architecture and preprocessing of openai/clip-vit-base-patch32; 77 positions, the tokenizer's
    own vocabulary. With fewer than 12 layers it is no ViT-B/32 any more, but is exported sooner.
    """
    if (folder / "preprocessor_config.json").exists():
        return folder
    import torch
    from transformers import AutoTokenizer, CLIPConfig, CLIPImageProcessor, CLIPModel

    words = AutoTokenizer.from_pretrained(tokenizer)
    torch.manual_seed(0)
    marks = {
        name: getattr(words, name) for name in ("bos_token_id", "eos_token_id", "pad_token_id")
    }
    text = {
        "vocab_size": len(words),
        "hidden_size": 512,
        "intermediate_size": 2048,
        "num_attention_heads": 8,
        "num_hidden_layers": layers,
    }
    vision = {
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_attention_heads": 12,
        "num_hidden_layers": layers,
        "patch_size": 32,
    }
    text |= {"max_position_embeddings": 77, **marks}
    CLIPModel(
        CLIPConfig(text_config=text, vision_config=vision, projection_dim=512)
    ).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / name, folder / name)
    config = json.loads((folder / "tokenizer_config.json").read_text()) | {"model_max_length": 77}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    CLIPImageProcessor().save_pretrained(folder)
    return folder


def bundled_checkpoint() -> Path:
    """The folder of the small CLIP that `vitrine demo` serves with."""
    import demo

    return Path(demo.__file__).parent / "checkpoints" / "clip"
