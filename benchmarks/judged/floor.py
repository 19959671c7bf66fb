"""`python -m benchmarks.judged.floor FOLDER`: an untrained CLIP in open_clip's layout, which knows
nothing: what a model adds to the words is what it has above this one.

open_clip itself writes it, so it needs the group `oracle`. Weights are random but seeded.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from benchmarks.models import bundled_checkpoint

__all__ = ["main"]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
def main(folder: Path) -> None:
    """Write the checkpoint into FOLDER."""
    import open_clip
    import torch
    from open_clip.push_to_hf_hub import save_for_hf
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(bundled_checkpoint())
    configuration = _configuration(len(tokenizer))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "untrained.json"
    path.write_text(json.dumps(configuration))
    open_clip.add_model_config(path)
    torch.manual_seed(0)
    save_for_hf(
        open_clip.create_model("untrained").eval(),
        tokenizer=tokenizer,
        model_config=configuration,
        save_directory=folder,
        safe_serialization=True,
    )
    path.unlink()


def _configuration(vocabulary: int) -> dict[str, Any]:
    return {
        "embed_dim": 192,
        "vision_cfg": {"image_size": 96, "layers": 3, "width": 192, "patch_size": 16},
        "text_cfg": {
            **{"context_length": 48, "vocab_size": vocabulary, "width": 192, "heads": 4},
            **{"layers": 3, "hf_tokenizer_name": "bundled", "tokenizer_kwargs": {"clean": "lower"}},
        },
    }


if __name__ == "__main__":
    main()
