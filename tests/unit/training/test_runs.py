"""A short run of each training: it learns something, goes on where it stopped, and writes what
transformers loads."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from transformers import (
    AutoModel,
    AutoProcessor,
    CLIPTokenizer,
    OwlViTForObjectDetection,
    OwlViTProcessor,
)

from training.clip import ClipTrainer, tokenizer_for
from training.detector import load_words, new_detector, text_vectors
from training.owlvit import DetectorTrainer
from training.pools import Pool, make_drawn_pool
from training.scene_pool import ScenePool, make_scene_pool
from training.schedule import Budget
from training.text_finetune import TextFinetuner
from training.vit_init import Teacher, begin_local

# a busy machine is slow
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    return make_drawn_pool(tmp_path_factory.mktemp("drawn"), 12, seed=3, workers=1)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> ScenePool:
    return make_scene_pool(tmp_path_factory.mktemp("scenes"), 8, seed=3, workers=1)


def new_trainer(pool: Pool, steps: int) -> ClipTrainer:
    return ClipTrainer(tokenizer_for([pool], 0), [(pool, 4)], seed=0, budget=Budget(1, steps))


@pytest.fixture(scope="module")
def trained(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clip")
    new_trainer(pool, 2).run(folder)
    return folder


def test_a_pool_shows_every_item_twice(pool: Pool) -> None:
    assert len(pool) == 24
    assert pool.labels[0::2] == pool.labels[1::2]
    assert (pool.images[0] != pool.images[1]).any()


def test_a_checkpoint_loads_as_any_dual_encoder_does(trained: Path) -> None:
    model, processor = AutoModel.from_pretrained(trained), AutoProcessor.from_pretrained(trained)
    inputs = processor(
        text=["a red mug", "a sofa"],
        images=[Image.new("RGB", (300, 200))],
        return_tensors="pt",
        padding=True,
        truncation=True,
    )
    outputs = model(**inputs)
    assert outputs.logits_per_image.shape == (1, 2)
    assert model.dtype == torch.float32
    assert sum(file.stat().st_size for file in trained.glob("*.safetensors")) < 20_000_000


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(
    pool: Pool, trained: Path, tmp_path: Path
) -> None:
    whole = new_trainer(pool, 4)
    whole.run(tmp_path / "whole")
    half = new_trainer(pool, 4)
    half.train_step()
    half.train_step()
    half.save(tmp_path / "half")
    later = new_trainer(pool, 4)
    later.load(tmp_path / "half")
    later.run(tmp_path / "half")
    for name, value in whole.model.state_dict().items():
        torch.testing.assert_close(value, later.model.state_dict()[name], msg=name)


def test_text_finetuning_changes_the_text_side_and_leaves_the_image_tower(
    pool: Pool, trained: Path
) -> None:
    model = AutoModel.from_pretrained(trained)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    TextFinetuner(
        model, CLIPTokenizer.from_pretrained(trained), [(pool, 4)], seed=0, budget=Budget(1, 2)
    ).run()
    changed = {
        name for name, value in model.state_dict().items() if not torch.equal(value, before[name])
    }
    assert not [name for name in changed if name.startswith("vision_model.")]
    assert "visual_projection.weight" in changed
    assert [name for name in changed if name.startswith("text_model.")]


def test_the_detector_starts_with_the_words_of_the_dual_encoder(trained: Path) -> None:
    tokenizer, words, text = load_words(trained)
    detector = new_detector(words, text).eval()
    texts = ["a red mug", "a sofa"]
    encoder = AutoModel.from_pretrained(trained).eval()
    tokens = tokenizer(texts, padding=True, return_tensors="pt")
    expected = encoder.get_text_features(**tokens).pooler_output
    torch.testing.assert_close(
        text_vectors(detector, tokens["input_ids"]), torch.nn.functional.normalize(expected, dim=1)
    )


def test_a_trained_detector_loads_and_leaves_its_words_alone(
    trained: Path, scenes: ScenePool, tmp_path: Path
) -> None:
    tokenizer, words, text = load_words(trained)
    detector = new_detector(words, text)
    begin_local(detector, seed=0)
    teacher = Teacher(trained, detector.config.vision_config.hidden_size)
    run = DetectorTrainer(detector, tokenizer, teacher, scenes, seed=0, budget=Budget(1, 2))
    run.run(tmp_path)
    detector, processor = (
        OwlViTForObjectDetection.from_pretrained(tmp_path),
        OwlViTProcessor.from_pretrained(tmp_path),
    )
    outputs = detector(
        **processor(
            text=[["a red mug", "a sofa"]], images=Image.new("RGB", (300, 200)), return_tensors="pt"
        )
    )
    assert outputs.logits.shape == (1, 100, 2)
    assert ((outputs.pred_boxes >= 0) & (outputs.pred_boxes <= 1)).all()
    weights = detector.owlvit.state_dict()
    assert all(torch.allclose(weights[name], value, atol=1e-3) for name, value in words.items())
    assert sum(file.stat().st_size for file in tmp_path.glob("*.safetensors")) < 20_000_000
