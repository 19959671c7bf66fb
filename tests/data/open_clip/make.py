"""Writes the tiny checkpoints beside it by open_clip itself, with the vectors that it gives.

Run in an environment that has `pip install --group oracle` besides Vitrine's own, from the root of
the source tree: `python -m tests.data.open_clip.make`. Weights are random but seeded, saved as
float16 to be small; the merges of the tiny CLIP vocabulary differ from run to run. The
names of timm's towers are real; their sizes are not: while the script
runs, timm makes small ones under the same names.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import timm
import torch
from open_clip.push_to_hf_hub import save_for_hf
from timm.models import vision_transformer
from timm.models.convnext import ConvNeXt
from timm.models.registry import register_model
from transformers import (
    BertTokenizer,
    GemmaTokenizer,
    T5Tokenizer,
    XLMRobertaConfig,
    XLMRobertaTokenizer,
)

from tests.checkpoints import WORDS, clip_tokenizer
from tests.data.open_clip import PICTURES, TEXTS

HERE = Path(__file__).parent
SIDE, WIDTH, DIMENSION = 32, 24, 16
_SIGLIP = {"mean": [0.5] * 3, "std": [0.5] * 3, "resize_mode": "squash"}


@dataclass(frozen=True)
class Family:
    """What open_clip is told, as its own configurations of that family say it."""

    tokenizer: Callable[[], Any]
    vision: dict[str, Any]
    text: dict[str, Any]
    model: dict[str, Any] = field(default_factory=dict)
    preprocess: dict[str, Any] = field(default_factory=dict)
    safetensors: bool = True


def main() -> None:
    """Write every family's folder anew."""
    for name in (*_SIGLIP_TOWERS, *_CONVNEXT_TOWERS):
        _shrink(name)
    for name, family in FAMILIES.items():
        print(name, _write(name, family), "bytes")


def _write(name: str, family: Family) -> int:
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    tokenizer = family.tokenizer()
    vision = {"image_size": SIDE, **family.vision}
    text = {"context_length": 12, **family.text}
    if "hf_model_name" not in text:
        text["vocab_size"] = len(tokenizer)
    configuration = {"embed_dim": DIMENSION, **family.model, "vision_cfg": vision, "text_cfg": text}
    with tempfile.TemporaryDirectory() as place:
        if "hf_model_name" in text:
            text["hf_model_name"] = _tiny_bert(Path(place), text["hf_model_name"], tokenizer)
        model = _model(Path(place), configuration, family)
        save_for_hf(
            model.half(),
            tokenizer=tokenizer,
            model_config=configuration,
            save_directory=folder,
            safe_serialization=family.safetensors,
        )
        _configure(folder, lambda each: each["preprocess_cfg"].update(family.preprocess))
        _answer(folder, tokenizer, text)
    if "hf_model_name" in text:  # not the folder that stood for it
        name_of_tower = {"hf_model_name": family.text["hf_model_name"]}
        _configure(folder, lambda each: each["model_cfg"]["text_cfg"].update(name_of_tower))
    return sum(path.stat().st_size for path in folder.iterdir())


def _model(place: Path, configuration: dict[str, Any], family: Family) -> Any:
    """open_clip's model with clearly different rows for different inputs."""
    path = place / "tiny.json"
    path.write_text(json.dumps(configuration))
    open_clip.add_model_config(path)
    torch.manual_seed(sum(map(ord, json.dumps(configuration))))
    model = open_clip.create_model("tiny", pretrained_text=False).eval()
    with torch.no_grad():
        for key, weight in model.named_parameters():
            if weight.ndim >= 2 and "embed" not in key:
                weight.mul_(2 if weight.std() < 0.2 else 1)
            elif weight.ndim == 1:
                weight.add_(torch.randn_like(weight) * 0.1)
        for key, buffer in model.named_buffers():
            if key.endswith("running_var"):
                buffer.uniform_(0.5, 2)
            elif key.endswith("running_mean"):
                buffer.normal_()
    return model


def _tiny_bert(place: Path, name: str, tokenizer: Any) -> str:
    """A folder with that name whose configuration is small, from which open_clip makes a tower."""
    folder = place / name
    configuration = XLMRobertaConfig(
        **{"vocab_size": len(tokenizer), "hidden_size": 64, "num_hidden_layers": 1},
        **{"num_attention_heads": 1, "intermediate_size": 32, "max_position_embeddings": 20},
        **{"type_vocab_size": 1, "pad_token_id": 1, "layer_norm_eps": 1e-5},
    )
    configuration.save_pretrained(folder)
    return str(folder)


def _configure(folder: Path, change: Callable[[Any], None]) -> None:
    path = folder / "open_clip_config.json"
    configuration = json.loads(path.read_text())
    change(configuration)
    path.write_text(json.dumps(configuration, indent=1))


def _answer(folder: Path, tokenizer: Any, text: dict[str, Any]) -> None:
    """Unit rows of the pictures and texts by open_clip alone, from the folder."""
    model, preprocess = open_clip.create_model_from_pretrained(
        f"local-dir:{folder}", precision="fp32"
    )
    model.eval()
    if "hf_tokenizer_name" not in text:
        raise ValueError("open_clip would use its own 49,408 tokens")
    tokenize = open_clip.get_tokenizer(f"local-dir:{folder}")
    with torch.no_grad():
        pictures = torch.stack([preprocess(picture) for picture in PICTURES])
        np.savez(
            folder / "expected.npz",
            pixels_mean=pictures.mean(dim=(1, 2, 3)).numpy(),
            tokens=tokenize(TEXTS).numpy(),
            pictures=model.encode_image(pictures, normalize=True).numpy(),
            texts=model.encode_text(tokenize(TEXTS), normalize=True).numpy(),
            logit_scale=model.logit_scale.exp().numpy(),
        )


def _shrink(name: str) -> None:
    """timm makes a small tower of that kind under the name, from now on."""
    original = timm.models.model_entrypoint(name)

    def small(pretrained: bool = False, **options: Any) -> Any:
        if name in _CONVNEXT_TOWERS:
            trunk = ConvNeXt(depths=(1, 1, 2, 1), dims=(8, 16, 24, 32), **_without_sizes(options))
            trunk.default_cfg = {"pool_size": (1, 1)}
            return trunk
        return vision_transformer.VisionTransformer(
            img_size=SIDE,
            **_SIGLIP_TOWERS[name],
            class_token=False,
            global_pool="map",
            **{key: value for key, value in options.items() if key == "num_classes"},
        )

    small.__name__ = name
    small.__module__ = original.__module__
    register_model(small)


def _without_sizes(options: dict[str, Any]) -> dict[str, Any]:
    return {
        key: value for key, value in options.items() if key in ("num_classes", "drop_path_rate")
    }


_BASE = {"patch_size": 16, "embed_dim": WIDTH, "depth": 2, "num_heads": 12}
_SIGLIP_TOWERS: dict[str, dict[str, Any]] = {
    "vit_base_patch16_siglip_224": _BASE,
    "vit_base_patch32_siglip_256": {**_BASE, "patch_size": 8, "act_layer": "gelu_tanh"},
    "vit_so400m_patch14_siglip_384": {
        **_BASE,
        "patch_size": 14,
        "embed_dim": 32,
        "num_heads": 16,
        "mlp_ratio": 3.7362,
    },
}
_CONVNEXT_TOWERS = ("convnext_base",)


def _pieces() -> list[tuple[str, float]]:
    """A vocabulary of sentence pieces: letters, and words with their blank before them."""
    words = sorted({f"▁{word}" for word in WORDS.split()})
    letters = ["▁", *map(chr, range(97, 123)), *map(chr, range(65, 91)), *"0123456789äöü.,'!&"]
    return [(word, -2.0) for word in words] + [(letter, -6.0) for letter in letters]


def _t5() -> Any:
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *_pieces()]
    return T5Tokenizer(
        vocab=vocabulary, extra_ids=0, pad_token="</s>", model_max_length=64, padding_side="right"
    )


def _gemma() -> Any:
    letters = [piece for piece, _ in _pieces() if len(piece) == 1]
    first = ["<pad>", "<eos>", "<bos>", "<unk>"]
    merged = ["re", "ed", "a▁", "sh", "oe", "es"]
    pieces = list(dict.fromkeys([*first, *letters, *merged]))
    return GemmaTokenizer(
        vocab={piece: place for place, piece in enumerate(pieces)},
        merges=[tuple(piece) for piece in merged],
        add_bos_token=False,
        add_eos_token=True,
        padding_side="right",
        model_max_length=64,
    )


def _xlm_roberta() -> Any:
    vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *_pieces()]
    return XLMRobertaTokenizer(vocab=[*vocabulary, ("<mask>", 0.0)], model_max_length=64)


def _bert() -> Any:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sorted(set(WORDS.split()))]
    letters = list(map(chr, range(97, 123)))
    pieces += [*letters, *(f"##{letter}" for letter in letters)]
    vocabulary = {piece: place for place, piece in enumerate(dict.fromkeys(pieces))}
    return BertTokenizer(vocab=vocabulary, model_max_length=512)


_VIT = {"layers": 2, "width": WIDTH, "head_width": 6, "patch_size": 8}
_CLIP_TEXT = {"width": 24, "heads": 4, "layers": 2, "hf_tokenizer_name": "tiny"}
_CLIP_CLEAN = {"tokenizer_kwargs": {"clean": "lower"}}
_SIGLIP_TEXT = {
    **{"width": WIDTH, "heads": 4, "layers": 2, "hf_tokenizer_name": "tiny"},
    **{"tokenizer_kwargs": {"clean": "canonicalize"}, "no_causal_mask": True},
    **{"proj_bias": True, "pool_type": "last", "norm_kwargs": {"eps": 1e-6}},
}
_SIGLIP_MODEL = {"embed_dim": WIDTH, "init_logit_bias": -10, "custom_text": True}


def _siglip_vision(name: str) -> dict[str, Any]:
    return {
        **{"timm_model_name": name, "timm_model_pretrained": False},
        **{"timm_pool": "map", "timm_proj": "none"},
    }


FAMILIES = {
    "clip": Family(clip_tokenizer, _VIT, {**_CLIP_TEXT, **_CLIP_CLEAN}),
    "quickgelu": Family(
        clip_tokenizer,
        _VIT,
        {**_CLIP_TEXT, **_CLIP_CLEAN},
        {"quick_gelu": True},
        {"interpolation": "bilinear"},
        safetensors=False,
    ),
    "siglip": Family(
        _t5, _siglip_vision("vit_base_patch16_siglip_224"), _SIGLIP_TEXT, _SIGLIP_MODEL, _SIGLIP
    ),
    "siglip_so400m": Family(
        _t5,
        _siglip_vision("vit_so400m_patch14_siglip_384"),
        _SIGLIP_TEXT,
        {**_SIGLIP_MODEL, "embed_dim": 32},
        _SIGLIP,
    ),
    "siglip2": Family(
        _gemma,
        _siglip_vision("vit_base_patch32_siglip_256"),
        {**_SIGLIP_TEXT, "act_kwargs": {"approximate": "tanh"}},
        _SIGLIP_MODEL,
        _SIGLIP,
    ),
    "clipa": Family(
        _bert,
        {**_VIT, "no_ln_pre": True, "pool_type": "avg", "final_ln_after_pool": True},
        {
            **_CLIP_TEXT,
            **{"tokenizer_kwargs": {"strip_sep_token": True}, "pool_type": "last"},
            "no_causal_mask": True,
        },
        {},
        {"resize_mode": "longest", "fill_color": 128},
    ),
    "convnext": Family(
        clip_tokenizer,
        {"timm_model_name": "convnext_base", "timm_pool": "", "timm_proj": "linear"},
        {**_CLIP_TEXT, **_CLIP_CLEAN},
    ),
    "xlm_roberta": Family(
        _xlm_roberta,
        _VIT,
        {
            "hf_model_name": "xlm-roberta-base",
            "hf_tokenizer_name": "xlm-roberta-base",
            "hf_pooler_type": "mean_pooler",
        },
    ),
    "bidirectional": Family(
        clip_tokenizer,
        _VIT,
        {**_CLIP_TEXT, **_CLIP_CLEAN, "no_causal_mask": True},
        {"custom_text": True},
    ),
}

if __name__ == "__main__":
    main()
