"""The small OWL-ViT: its text tower is the dual encoder's, its vision transformer is new."""

from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModel, AutoTokenizer
from transformers.models.clip.tokenization_clip import CLIPTokenizer
from transformers.models.owlvit.configuration_owlvit import OwlViTConfig
from transformers.models.owlvit.modeling_owlvit import OwlViTForObjectDetection

from training.detection_losses import Predictions
from training.dual_encoder import save_processor, save_weights
from training.scene_pool import SCENE_SIZE

__all__ = ["PATCH", "load_words", "new_detector", "predict", "save_detector", "text_vectors"]

PATCH = 16

_TEXT_SIDE = (
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "max_position_embeddings",
    "hidden_act",
    "bos_token_id",
    "eos_token_id",
)


def load_words(clip: Path) -> tuple[CLIPTokenizer, dict[str, Tensor], dict[str, object]]:
    """Returns the tokenizer of a dual encoder's folder, the weights of its text side, and its
    text config."""
    model = AutoModel.from_pretrained(clip, local_files_only=True)
    weights = {
        name: value
        for name, value in model.state_dict().items()
        if name.startswith(("text_model.", "text_projection."))
    }
    return (
        AutoTokenizer.from_pretrained(clip, local_files_only=True),
        weights,
        model.config.text_config.to_dict(),
    )


def new_detector(words: dict[str, Tensor], text: dict[str, object]) -> OwlViTForObjectDetection:
    """Returns a detector with the text tower of the dual encoder and a new image tower.

    ValueError where the text sides differ.
    """
    config = OwlViTConfig(
        text_config={**{name: text[name] for name in _TEXT_SIDE}, "pad_token_id": 0},
        vision_config={
            "hidden_size": 192,
            "intermediate_size": 768,
            "num_hidden_layers": 6,
            "num_attention_heads": 3,
            "image_size": SCENE_SIZE,
            "patch_size": PATCH,
            "hidden_act": "gelu",
        },
        projection_dim=text["hidden_size"],
    )
    model = OwlViTForObjectDetection(config)
    own = model.owlvit.state_dict()
    unknown = [name for name in words if name not in own or own[name].shape != words[name].shape]
    if unknown:
        raise ValueError(f"the text side does not fit OWL-ViT's: {', '.join(unknown)}")
    model.owlvit.load_state_dict(words, strict=False)
    with torch.no_grad():  # few tokens are products: start from saying no (Lin et al. 2017)
        for head, start in (
            (model.class_head.logit_shift, -0.6),
            (model.class_head.logit_scale, 8.0),
        ):
            head.weight.zero_()
            head.bias.fill_(start)
    return model


def text_vectors(model: OwlViTForObjectDetection, tokens: Tensor) -> Tensor:
    """Returns the unit vectors (Q, D) of texts given as token ids (Q, L), the words' side being
    left as it is."""
    with torch.no_grad():
        vectors = model.owlvit.get_text_features(input_ids=tokens).pooler_output
    return torch.nn.functional.normalize(vectors.float(), dim=1)


def predict(model: OwlViTForObjectDetection, pixels: Tensor, queries: Tensor) -> Predictions:
    """Returns what the detector says of pictures (B, 3, S, S) for their queries (B, Q, D)."""
    maps, vision = model.image_embedder(pixel_values=pixels, output_hidden_states=True)
    tokens = maps.flatten(1, 2)
    logits, vectors = model.class_predictor(tokens, queries)
    cosines = torch.nn.functional.normalize(vectors.float(), dim=-1) @ queries.transpose(1, 2)
    return Predictions(
        logits.float(),
        model.box_predictor(tokens, maps).float(),
        cosines.float(),
        vision.hidden_states,
    )


def save_detector(
    model: OwlViTForObjectDetection,
    weights: dict[str, Tensor],
    tokenizer: CLIPTokenizer,
    folder: Path,
) -> None:
    """Writes a folder that OwlViTForObjectDetection and OwlViTProcessor load."""
    model.config.architectures = [type(model).__name__]
    save_weights(weights, model.config.to_dict(), folder)
    tokenizer.save_pretrained(folder)
    save_processor(folder, "OwlViT", SCENE_SIZE)
