"""The small dual encoder: a ConvNeXt that sees, CLIP's text tower that reads, one space for both."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers.models.clip.configuration_clip import CLIPTextConfig
from transformers.models.clip.tokenization_clip import CLIPTokenizer
from transformers.models.convnext.configuration_convnext import ConvNextConfig
from transformers.models.convnext.modeling_convnext import ConvNextModel
from transformers.models.vision_text_dual_encoder.configuration_vision_text_dual_encoder import VisionTextDualEncoderConfig
from transformers.models.vision_text_dual_encoder.modeling_vision_text_dual_encoder import VisionTextDualEncoderModel

from demo.training.augmentation import IMAGE_MEAN, IMAGE_STD
from demo.training.tokens import LONGEST

__all__ = ["IMAGE_SIZE", "Embeddings", "new_dual_encoder", "new_tower", "pick_device", "save_checkpoint", "save_weights"]

IMAGE_SIZE = 64
"""Pixels a side, a multiple of the tower's 32 so that no rim is lost; small, so that an hour on two cores shows it enough pictures."""

_DIMENSION = 192
"""The text tower's own width: OWL-ViT compares in that, so its text tower can start from this one whole."""


class Embeddings(nn.Module):  # type: ignore[misc]  # torch is not followed
    """Unit vectors of pictures and texts, from a dual encoder; pooled features of pictures beside them."""

    def __init__(self, model: VisionTextDualEncoderModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns picture vectors, text vectors and the vision tower's features for (B, 3, H, W) and (C, L)."""
        features = self.model.vision_model(pixel_values=pixels).pooler_output
        images = self.model.visual_projection(features)
        texts = self.model.get_text_features(input_ids=tokens).pooler_output
        return nn.functional.normalize(images.float(), dim=1), nn.functional.normalize(texts.float(), dim=1), features.float()


def new_tower() -> ConvNextModel:
    """Returns the vision tower with fresh weights: 4.8 million parameters."""
    config = ConvNextConfig(
        hidden_sizes=[48, 96, 192, 384], depths=[2, 2, 6, 2], layer_scale_init_value=0.1, drop_path_rate=0.05, image_size=IMAGE_SIZE
    )
    config.hidden_size = config.hidden_sizes[-1]  # the dual encoder asks every tower for one width
    return ConvNextModel(config)


def new_dual_encoder(tokenizer: CLIPTokenizer) -> VisionTextDualEncoderModel:
    """Returns the dual encoder with fresh weights and a text tower for the tokenizer's vocabulary."""
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=192,
        intermediate_size=768,
        num_hidden_layers=4,
        num_attention_heads=4,
        max_position_embeddings=LONGEST,
        projection_dim=_DIMENSION,
        hidden_act="gelu",
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    tower = new_tower()
    config = VisionTextDualEncoderConfig.from_vision_text_configs(tower.config, text, projection_dim=_DIMENSION)
    return VisionTextDualEncoderModel(config=config, vision_model=tower)


def save_weights(weights: dict[str, Tensor], config: dict[str, object], folder: Path) -> None:
    """Writes weights in half precision and the config; the config still says float32, so that CPUs compute in it."""
    folder.mkdir(parents=True, exist_ok=True)
    halves = {
        name: value.detach().cpu().half().contiguous() if value.is_floating_point() else value.cpu() for name, value in weights.items()
    }
    aside = folder / "model.safetensors.new"
    save_file(halves, aside, metadata={"format": "pt"})
    aside.replace(folder / "model.safetensors")
    config = {**config, "dtype": "float32"}
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")


def save_checkpoint(model: VisionTextDualEncoderModel, weights: dict[str, Tensor], tokenizer: CLIPTokenizer, folder: Path) -> None:
    """Writes a folder that AutoModel and AutoProcessor load: weights (of `model`'s names), config, tokenizer, image processor."""
    model.config.architectures = [type(model).__name__]
    save_weights(weights, model.config.to_dict(), folder)
    tokenizer.save_pretrained(folder)
    processor = {
        "image_processor_type": "CLIPImageProcessor",
        "processor_class": "CLIPProcessor",
        "do_resize": True,
        "size": {"height": IMAGE_SIZE, "width": IMAGE_SIZE},
        "resample": 3,
        "do_center_crop": False,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(IMAGE_MEAN),
        "image_std": list(IMAGE_STD),
        "do_convert_rgb": True,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(processor, indent=2) + "\n", "utf-8")


def pick_device() -> torch.device:
    """Returns the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
