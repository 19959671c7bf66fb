"""The three programs: train the dual encoder, train the detector, measure both."""

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

import click
import torch
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from demo.training.checkpoints import Encoder
from demo.training.clip import DRAWN_PAIRS, PHOTO_PAIRS, ClipLessons, tokenizer_for
from demo.training.detection_measures import measure_detector
from demo.training.detector import load_words, new_detector
from demo.training.drawn_measures import Missed, measure_drawn
from demo.training.dual_encoder import save_checkpoint
from demo.training.eyes import Teacher, begin_local
from demo.training.owlvit import DetectorLessons
from demo.training.partners import Partners
from demo.training.photo_measures import measure_classes, measure_shop
from demo.training.photographs import read_garments, read_photographs
from demo.training.pools import Pool, make_drawn_pool, make_photo_pool, open_pool
from demo.training.reading import READ_DRAWN_PAIRS, READ_PHOTO_PAIRS, ReadingLessons
from demo.training.scene_pool import make_scene_pool, open_scene_pool
from demo.training.schedule import Budget
from demo.training.timing import latency

__all__ = ["evaluate_checkpoints", "train_clip", "train_owlvit"]

_PHOTO_PAIRS = 12000
_READING_SHARE = 0.1
"""Of the length of the run, the part that follows it with the tower frozen."""
_SCENES_MEASURED = 160


def _workers() -> int:
    return os.process_cpu_count() if hasattr(os, "process_cpu_count") else len(os.sched_getaffinity(0))


def _begin(out: Path) -> Partners:
    # OpenMP threads that spin while they wait stop everything else on a busy machine; the variable is read by the first parallel region.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    out.mkdir(parents=True, exist_ok=True)
    partners = Partners()
    torch.set_num_threads(max(1, _workers() // partners.count))
    return partners


def train_clip(  # noqa: PLR0913  # the options of a command
    *, photos: Path, out: Path, minutes: float, steps: int | None, pairs: int, seed: int, resume: bool
) -> None:
    """Makes the pictures (kept in `out/pictures` and used again), then trains; writes the checkpoint to `out`."""
    partners = _begin(out)
    if partners.rank == 0:
        _pictures(out / "pictures", photos, pairs=pairs, seed=seed)
    partners.wait()
    drawn, photographed = _pictures(out / "pictures", photos, pairs=pairs, seed=seed)
    tokenizer = CLIPTokenizer.from_pretrained(out) if resume else tokenizer_for([drawn, photographed], seed)
    lessons = ClipLessons(
        tokenizer, [(drawn, DRAWN_PAIRS), (photographed, PHOTO_PAIRS)], seed=seed, budget=Budget(minutes, steps), partners=partners
    )
    if resume:
        lessons.load(out)
    lessons.run(out)
    click.echo(f"{lessons.step} steps in {lessons.budget.seconds / 60:.1f} minutes")
    if partners.rank == 0:
        torch.set_num_threads(_workers())  # the others only wait now
        model = lessons.average.model.requires_grad_(True)
        pools = [(drawn, READ_DRAWN_PAIRS), (photographed, READ_PHOTO_PAIRS)]
        budget = Budget(_READING_SHARE * minutes, None if steps is None else max(1, round(_READING_SHARE * steps)))
        reading = ReadingLessons(model, tokenizer, pools, seed=seed, budget=budget)
        reading.run()
        save_checkpoint(model, model.state_dict(), tokenizer, out)
        click.echo(f"{reading.step} reading steps; the checkpoint is in {out}")
    partners.wait()


def _pictures(folder: Path, photos: Path, *, pairs: int, seed: int) -> tuple[Pool, Pool]:
    """The pools of the run, made where they are not there yet."""
    try:
        return open_pool(folder / "drawn"), open_pool(folder / "photos")
    except FileNotFoundError:
        training = [photo for photo in read_photographs(photos) if photo.split == "train"]
        garments = read_garments(training, _workers())
        photographed = make_photo_pool(folder / "photos", _PHOTO_PAIRS, seed=seed, workers=_workers(), garments=garments)
        return make_drawn_pool(folder / "drawn", pairs, seed=seed, workers=_workers(), garments=garments), photographed


def train_owlvit(  # noqa: PLR0913  # the options of a command
    *, clip_folder: Path, out: Path, minutes: float, steps: int | None, scenes: int, seed: int, resume: bool
) -> None:
    """Draws the scenes (kept in `out/scenes` and used again), then trains; writes the checkpoint to `out`."""
    partners = _begin(out)
    if partners.rank == 0 and not (out / "scenes" / "things.json").exists():
        make_scene_pool(out / "scenes", scenes, seed=seed, workers=_workers())
    partners.wait()
    pool = open_scene_pool(out / "scenes")
    torch.manual_seed(seed)
    tokenizer, words, text = load_words(clip_folder)
    detector = new_detector(words, text)
    begin_local(detector, seed=seed)
    teacher = Teacher(clip_folder, detector.config.vision_config.hidden_size)
    lessons = DetectorLessons(detector, tokenizer, teacher, pool, seed=seed, budget=Budget(minutes, steps), partners=partners)
    if resume:
        lessons.load(out)
    lessons.run(out)
    click.echo(f"{lessons.step} steps in {lessons.budget.seconds / 60:.1f} minutes; the checkpoint is in {out}")


def evaluate_checkpoints(  # the options of a command
    *, clip_folder: Path, owlvit_folder: Path | None, photos: Path | None, shop: Path | None, drawn: bool, save: Path | None
) -> None:
    """Measures what is asked for and prints it."""
    encoder = Encoder(clip_folder)
    scores: dict[str, Mapping[str, object]] = {"Time on one core, milliseconds": latency(clip_folder)}
    missed: dict[str, Missed] = {}
    if drawn:
        scores["Drawn products, unseen seeds"], missed = measure_drawn(encoder, workers=_workers())
    if photos is not None:
        scores["Photographs of clothes, validation split, zero-shot accuracy"] = measure_classes(encoder, photos)
    if shop is not None:
        scores["A real catalogue, never trained on"] = measure_shop(encoder, shop)
    if owlvit_folder is not None:
        scores["Drawn scenes, unseen seeds, mAP at IoU 0.5"] = measure_detector(owlvit_folder, scenes=_SCENES_MEASURED)
    for title, table in scores.items():
        click.echo(f"\n{title}\n{_markdown(table)}")
    for name, worst in missed.items():
        click.echo(f"\nWorst of {name}: " + "; ".join(f"{text} ({value:.1f})" for text, value in worst[:10]))
    if save is not None:
        save.write_text(json.dumps({"measured": time.strftime("%Y-%m-%d"), **scores}, indent=2) + "\n", "utf-8")


def _markdown(table: Mapping[str, object]) -> str:
    """A Markdown table of numbers by name, or of rows of them by name."""
    first = next(iter(table.values()))
    columns = list(first) if isinstance(first, dict) else ["value"]
    lines = ["| | " + " | ".join(columns) + " |", "|-|" + "-|" * len(columns)]
    for name, row in table.items():
        values = row if isinstance(row, dict) else {"value": row}
        lines.append(f"| {name} | " + " | ".join(f"{values[column]:.3f}" if column in values else "" for column in columns) + " |")
    return "\n".join(lines)
