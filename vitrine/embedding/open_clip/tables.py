"""Which parameter of a transformers module each parameter of open_clip's becomes.

A rule is a pattern of the whole name and its replacement. A replacement with `*` stands for three
names: the rows of a fused projection become those of `q`, `k` and `v`. Every parameter must be
covered by a rule, and every parameter of the module must come from one, so a table that does not
fit its checkpoint is told and never fills in random values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vitrine.errors import ModelUnavailable

__all__ = [
    "CLIP_TEXT",
    "CLIP_VISION",
    "CONVNEXT",
    "SIGLIP_TEXT",
    "SIGLIP_VISION",
    "Rules",
    "rename",
]

Rules = Sequence[tuple[str, str]]

_TRANSFORMER: Rules = (
    (
        r"transformer\.resblocks\.(\d+)\.attn\.in_proj_(weight|bias)",
        r"encoder.layers.\1.self_attn.*_proj.\2",
    ),
    (
        r"transformer\.resblocks\.(\d+)\.attn\.out_proj\.(.*)",
        r"encoder.layers.\1.self_attn.out_proj.\2",
    ),
    (r"transformer\.resblocks\.(\d+)\.ln_(1|2)\.(.*)", r"encoder.layers.\1.layer_norm\2.\3"),
    (r"transformer\.resblocks\.(\d+)\.mlp\.c_fc\.(.*)", r"encoder.layers.\1.mlp.fc1.\2"),
    (r"transformer\.resblocks\.(\d+)\.mlp\.c_proj\.(.*)", r"encoder.layers.\1.mlp.fc2.\2"),
)
CLIP_VISION: Rules = (
    (r"class_embedding", r"embeddings.class_embedding"),
    (r"positional_embedding", r"embeddings.position_embedding.weight"),
    (r"conv1\.weight", r"embeddings.patch_embedding.weight"),
    (r"ln_pre\.(.*)", r"pre_layrnorm.\1"),
    (r"ln_post\.(.*)", r"post_layernorm.\1"),
    *_TRANSFORMER,
)
CLIP_TEXT: Rules = (
    (r"token_embedding\.weight", r"embeddings.token_embedding.weight"),
    (r"positional_embedding", r"embeddings.position_embedding.weight"),
    (r"ln_final\.(.*)", r"final_layer_norm.\1"),
    *_TRANSFORMER,
)
SIGLIP_TEXT = CLIP_TEXT
SIGLIP_VISION: Rules = (
    (r"pos_embed", r"embeddings.position_embedding.weight"),
    (r"patch_embed\.proj\.(.*)", r"embeddings.patch_embedding.\1"),
    (r"blocks\.(\d+)\.norm(1|2)\.(.*)", r"encoder.layers.\1.layer_norm\2.\3"),
    (r"blocks\.(\d+)\.attn\.qkv\.(.*)", r"encoder.layers.\1.self_attn.*_proj.\2"),
    (r"blocks\.(\d+)\.attn\.proj\.(.*)", r"encoder.layers.\1.self_attn.out_proj.\2"),
    (r"blocks\.(\d+)\.mlp\.(fc1|fc2)\.(.*)", r"encoder.layers.\1.mlp.\2.\3"),
    (r"norm\.(.*)", r"post_layernorm.\1"),
    (r"attn_pool\.latent", r"head.probe"),
    (r"attn_pool\.qkv\.(.*)", r"head.attention.in_proj_\1"),
    (r"attn_pool\.proj\.(.*)", r"head.attention.out_proj.\1"),
    (r"attn_pool\.norm\.(.*)", r"head.layernorm.\1"),
    (r"attn_pool\.mlp\.(fc1|fc2)\.(.*)", r"head.mlp.\1.\2"),
)
_STAGE = r"encoder.stages.\1"
CONVNEXT: Rules = (
    (r"stem\.0\.(.*)", r"embeddings.patch_embeddings.\1"),
    (r"stem\.1\.(.*)", r"embeddings.layernorm.\1"),
    (r"stages\.(\d+)\.downsample\.(0|1)\.(.*)", rf"{_STAGE}.downsampling_layer.\2.\3"),
    (r"stages\.(\d+)\.blocks\.(\d+)\.conv_dw\.(.*)", rf"{_STAGE}.layers.\2.dwconv.\3"),
    (r"stages\.(\d+)\.blocks\.(\d+)\.norm\.(.*)", rf"{_STAGE}.layers.\2.layernorm.\3"),
    (r"stages\.(\d+)\.blocks\.(\d+)\.mlp\.fc(1|2)\.(.*)", rf"{_STAGE}.layers.\2.pwconv\3.\4"),
    (r"stages\.(\d+)\.blocks\.(\d+)\.gamma", rf"{_STAGE}.layers.\2.layer_scale_parameter"),
    (r"head\.norm\.(.*)", r"layernorm.\1"),
)


def rename(state: Mapping[str, Any], rules: Rules, name: str) -> dict[str, Any]:
    """The tensors under the names of the transformers module.

    `ModelUnavailable` for a tensor of the model `name` that no rule covers.
    """
    return dict(
        item for key, tensor in state.items() for item in _renamed(key, tensor, rules, name)
    )


def _renamed(key: str, tensor: Any, rules: Rules, name: str) -> Iterator[tuple[str, Any]]:
    for pattern, replacement in rules:
        match = re.fullmatch(pattern, key)
        if match is None:
            continue
        target = match.expand(replacement)
        if "*" not in target:
            yield target, tensor
            return
        for letter, part in zip("qkv", tensor.chunk(3), strict=True):
            yield target.replace("*", letter), part
        return
    raise ModelUnavailable(
        f"the weights of {name} hold {key}, which no tower known to Vitrine has; the checkpoint is "
        "of another kind than its open_clip_config.json says"
    )
