"""The two programs that train: the dual encoder, the detector."""

import os
from pathlib import Path

import click
import torch
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from training.clip import DRAWN_PAIRS, PHOTO_PAIRS, ClipTrainer, tokenizer_for
from training.detector import load_words, new_detector
from training.distributed import Processes
from training.dual_encoder import save_checkpoint
from training.owlvit import DetectorTrainer
from training.photographs import read_garments, read_photographs
from training.pools import Pool, make_drawn_pool, make_photo_pool, open_pool
from training.scene_pool import make_scene_pool, open_scene_pool
from training.schedule import Budget
from training.text_finetune import FINETUNE_DRAWN_PAIRS, FINETUNE_PHOTO_PAIRS, TextFinetuner
from training.vit_init import Teacher, begin_local

__all__ = ["train_clip", "train_owlvit", "workers"]

_FINETUNE_SHARE = 0.1
"""Of the length of the run, the part that follows it with the tower frozen."""


def workers() -> int:
    """Returns how many processors this process may use."""
    return (
        os.process_cpu_count() if hasattr(os, "process_cpu_count") else len(os.sched_getaffinity(0))
    )


def _begin(out: Path) -> Processes:
    # OpenMP threads that spin while they wait stop everything else on a busy machine; the variable
    # is read by the first parallel region.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    out.mkdir(parents=True, exist_ok=True)
    processes = Processes()
    torch.set_num_threads(max(1, workers() // processes.count))
    return processes


def train_clip(  # noqa: PLR0913  # the options of a command
    *,
    photos: Path,
    out: Path,
    minutes: float,
    steps: int | None,
    pairs: int,
    photo_pairs: int,
    seed: int,
    resume: bool,
) -> None:
    """Makes the pictures (kept in `out/pictures` and used again), then trains.

    Writes the checkpoint to `out`.
    """
    processes = _begin(out)
    if processes.rank == 0:
        _pictures(out / "pictures", photos, pairs=pairs, photo_pairs=photo_pairs, seed=seed)
    processes.wait()
    drawn, photographed = _pictures(
        out / "pictures", photos, pairs=pairs, photo_pairs=photo_pairs, seed=seed
    )
    tokenizer = (
        CLIPTokenizer.from_pretrained(out) if resume else tokenizer_for([drawn, photographed], seed)
    )
    trainer = ClipTrainer(
        tokenizer,
        [(drawn, DRAWN_PAIRS), (photographed, PHOTO_PAIRS)],
        seed=seed,
        budget=Budget(minutes, steps),
        processes=processes,
    )
    if resume:
        trainer.load(out)
    trainer.run(out)
    click.echo(f"{trainer.step} steps in {trainer.budget.seconds / 60:.1f} minutes")
    if processes.rank == 0:
        torch.set_num_threads(workers())  # the others only wait now
        model = trainer.average.model.requires_grad_(True)
        pools = [(drawn, FINETUNE_DRAWN_PAIRS), (photographed, FINETUNE_PHOTO_PAIRS)]
        budget = Budget(
            _FINETUNE_SHARE * minutes,
            None if steps is None else max(1, round(_FINETUNE_SHARE * steps)),
        )
        finetuner = TextFinetuner(model, tokenizer, pools, seed=seed, budget=budget)
        finetuner.run()
        save_checkpoint(model, model.state_dict(), tokenizer, out)
        click.echo(f"{finetuner.step} steps of text finetuning; the checkpoint is in {out}")
    processes.wait()


def _pictures(
    folder: Path, photos: Path, *, pairs: int, photo_pairs: int, seed: int
) -> tuple[Pool, Pool]:
    """The pools of the run, made where they are not there yet."""
    try:
        return open_pool(folder / "drawn"), open_pool(folder / "photos")
    except FileNotFoundError:
        training = [photo for photo in read_photographs(photos) if photo.split == "train"]
        garments = read_garments(training, workers())
        photographed = make_photo_pool(
            folder / "photos", photo_pairs, seed=seed, workers=workers(), garments=garments
        )
        return make_drawn_pool(
            folder / "drawn", pairs, seed=seed, workers=workers(), garments=garments
        ), photographed


def train_owlvit(  # noqa: PLR0913  # the options of a command
    *,
    clip_folder: Path,
    out: Path,
    minutes: float,
    steps: int | None,
    scenes: int,
    seed: int,
    resume: bool,
) -> None:
    """Draws the scenes (kept in `out/scenes` and used again), then trains.

    Writes the checkpoint to `out`.
    """
    processes = _begin(out)
    if processes.rank == 0 and not (out / "scenes" / "things.json").exists():
        make_scene_pool(out / "scenes", scenes, seed=seed, workers=workers())
    processes.wait()
    pool = open_scene_pool(out / "scenes")
    torch.manual_seed(seed)
    tokenizer, words, text = load_words(clip_folder)
    detector = new_detector(words, text)
    begin_local(detector, seed=seed)
    teacher = Teacher(clip_folder, detector.config.vision_config.hidden_size)
    trainer = DetectorTrainer(
        detector,
        tokenizer,
        teacher,
        pool,
        seed=seed,
        budget=Budget(minutes, steps),
        processes=processes,
    )
    if resume:
        trainer.load(out)
    trainer.run(out)
    click.echo(
        f"{trainer.step} steps in {trainer.budget.seconds / 60:.1f} minutes; the checkpoint is in "
        f"{out}"
    )
