"""The small dual encoder: a ResNet and one transformer layer that see, CLIP's text tower that
reads, one space for both."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers.models.clip.configuration_clip import CLIPTextConfig
from transformers.models.clip.tokenization_clip import CLIPTokenizer
from transformers.models.dpt.configuration_dpt import DPTConfig
from transformers.models.dpt.modeling_dpt import DPTModel
from transformers.models.resnet.configuration_resnet import ResNetConfig
from transformers.models.vision_text_dual_encoder.configuration_vision_text_dual_encoder import (
    VisionTextDualEncoderConfig,
)
from transformers.models.vision_text_dual_encoder.modeling_vision_text_dual_encoder import (
    VisionTextDualEncoderModel,
)

from training.augmentation import IMAGE_MEAN, IMAGE_STD
from training.tokens import LONGEST

__all__ = [
    "IMAGE_SIZE",
    "Embeddings",
    "half_precision",
    "new_dual_encoder",
    "new_tower",
    "pick_device",
    "save_checkpoint",
    "save_processor",
    "save_weights",
]

IMAGE_SIZE = 96
"""Pixels a side, a multiple of the tower's 32 so that no rim is lost.

Small, so that an hour on two cores shows it enough pictures.
"""

STRIDE = 32
"""Pixels of the picture to one place of the tower's last map."""

_DIMENSION = 192
"""The text tower's own width: OWL-ViT compares in that, so its text tower can start from this
one whole."""


class Embeddings(nn.Module):  # type: ignore[misc]  # torch is not followed
    """Unit vectors of pictures and texts, from a dual encoder.

    The tower's features of pictures beside them.
    """

    def __init__(self, model: VisionTextDualEncoderModel) -> None:
        super().__init__()
        self.model = model

    def encode_images(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Returns picture vectors and the vision tower's features for (B, 3, H, W)."""
        features = self.model.vision_model(pixel_values=pixels).pooler_output
        return nn.functional.normalize(
            self.model.visual_projection(features).float(), dim=1
        ), features.float()

    def encode_texts(self, tokens: Tensor) -> Tensor:
        """Returns text vectors for (C, L)."""
        return nn.functional.normalize(
            self.model.get_text_features(input_ids=tokens).pooler_output.float(), dim=1
        )


def new_tower() -> DPTModel:
    """Returns the vision tower with fresh weights: 5.3 million parameters.

    A ViT over the map of a ResNet (Dosovitskiy et al. 2021, the hybrid of section 3.1), which
    transformers keeps as the hybrid DPT. Plain 3 x 3 convolutions with batch normalization learn
    several times more in a second of a CPU than depthwise ones, and the transformer layer gives the
    one vector per picture that a dual encoder asks for.
    """
    widths = [32, 64, 160, 320]
    backbone = ResNetConfig(
        embedding_size=32,
        hidden_sizes=widths,
        depths=[1, 2, 2, 2],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],
    )
    side = IMAGE_SIZE // STRIDE
    config = DPTConfig(
        is_hybrid=True,
        backbone_config=backbone,
        backbone_featmap_shape=[1, widths[-1], side, side],
        image_size=IMAGE_SIZE,
        patch_size=STRIDE,
        hidden_size=widths[-1],
        num_hidden_layers=1,
        num_attention_heads=5,
        intermediate_size=2 * widths[-1],
        pooler_act="linear",
        readout_type="project",  # the hybrid allows no other; it concerns depth alone
        neck_ignore_stages=[0, 1],
        backbone_out_indices=[0, 0, 0, 0],
    )
    return DPTModel(config)


def new_dual_encoder(tokenizer: CLIPTokenizer) -> VisionTextDualEncoderModel:
    """Returns the dual encoder with fresh weights and a text tower for the tokenizer's
    vocabulary."""
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
    config = VisionTextDualEncoderConfig.from_vision_text_configs(
        tower.config, text, projection_dim=_DIMENSION
    )
    return VisionTextDualEncoderModel(config=config, vision_model=tower)


def save_weights(weights: dict[str, Tensor], config: dict[str, object], folder: Path) -> None:
    """Writes weights in half precision and the config.

    The config still says float32, so that CPUs compute in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    halves = {
        name: value.detach().cpu().half().contiguous() if value.is_floating_point() else value.cpu()
        for name, value in weights.items()
    }
    aside = folder / "model.safetensors.new"
    save_file(halves, aside, metadata={"format": "pt"})
    aside.replace(folder / "model.safetensors")
    config = {**config, "dtype": "float32"}
    (folder / "config.json").write_text(
        json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8"
    )


def save_checkpoint(
    model: VisionTextDualEncoderModel,
    weights: dict[str, Tensor],
    tokenizer: CLIPTokenizer,
    folder: Path,
) -> None:
    """Writes a folder that AutoModel and AutoProcessor load: weights (of `model`'s names),
    config, tokenizer, image processor."""
    model.config.architectures = [type(model).__name__]
    save_weights(weights, model.config.to_dict(), folder)
    tokenizer.save_pretrained(folder)
    save_processor(folder, "CLIP", IMAGE_SIZE)


def save_processor(folder: Path, kind: str, size: int) -> None:
    """Writes how pictures are prepared: squeezed to `size` x `size` pixels, CLIP's mean and
    deviation; `kind` is "CLIP" or "OwlViT"."""
    processor = {
        "image_processor_type": f"{kind}ImageProcessor",
        "processor_class": f"{kind}Processor",
        "do_resize": True,
        "size": {"height": size, "width": size},
        "resample": 3,
        "do_center_crop": False,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(IMAGE_MEAN),
        "image_std": list(IMAGE_STD),
        "do_convert_rgb": True,
    }
    (folder / "preprocessor_config.json").write_text(
        json.dumps(processor, indent=2) + "\n", "utf-8"
    )


def half_precision(device: torch.device) -> torch.autocast:
    """Returns the context of bfloat16 on GPUs.

    CPUs without instructions for it would be slower in it, so they compute in float32.
    """
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=device.type == "cuda")


def pick_device() -> torch.device:
    """Returns the GPU where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
