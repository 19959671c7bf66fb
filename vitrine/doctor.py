"""`vitrine doctor`: checks everything an answer depends on, and says what is wrong and what to
do.

Rooms above this one register their checks as entry points in the group `vitrine.checks`.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from importlib.metadata import EntryPoint, entry_points
from itertools import islice
from pathlib import Path

import click

from vitrine.damage import damaged_databases, damaged_pictures
from vitrine.embedding.checkpoint import require_place
from vitrine.errors import NoLiveVersion, VitrineError
from vitrine.evaluation import read_judgements
from vitrine.settings import Settings, load_settings
from vitrine.storage.data_folder import require_writable
from vitrine.wiring import Vitrine

__all__ = ["doctor", "examine"]

LEAST_FREE_GB = 1.0
"""Less free disk than this is reported: an ingest or a reindex writes a second version beside the
live one."""

_BATCHES = 8
"""Of products, among which pictures are chosen to be read."""

Check = Callable[[Vitrine], Iterator[str]]
"""Yields one sentence for each fault, with its remedy; nothing when all is well."""


def _data_folder(vitrine: Vitrine) -> Iterator[str]:
    folder = vitrine.settings.data_dir
    require_writable(folder)
    free = shutil.disk_usage(folder).free / 1e9
    if free < LEAST_FREE_GB:
        yield (
            f"{folder} has {free:.1f} GB free; free some space, or set VITRINE_DATA_DIR to a larger"
            " disk"
        )


def _model(vitrine: Vitrine) -> Iterator[str]:
    embedder = vitrine.embedder
    row = embedder.embed_texts(["a red dress"])
    if row.shape != (1, embedder.info.dimension):
        yield (
            f"{embedder.info.name} gave a vector of shape {row.shape}; choose another model with"
            " VITRINE_MODEL"
        )


def _detector(vitrine: Vitrine) -> Iterator[str]:
    """A hub's detector may still be fetched when it is first needed; it is not loaded here."""
    require_place(vitrine.settings.detector, "owlvit")
    return iter(())


def _files(vitrine: Vitrine) -> Iterator[str]:
    """What other settings name, which nobody reads before a reindex or an ingest has begun."""
    settings = vitrine.settings
    if settings.judgements:
        try:
            read_judgements(Path(settings.judgements))
        except VitrineError as error:
            yield f"VITRINE_JUDGEMENTS: {error}"
    if settings.catalogue_root and not Path(settings.catalogue_root).is_dir():
        yield f"VITRINE_CATALOGUE_ROOT: {settings.catalogue_root} is not a folder"


def _backend(vitrine: Vitrine) -> Iterator[str]:
    yield from vitrine.versions.check()


def _index(vitrine: Vitrine) -> Iterator[str]:
    try:
        serving = vitrine.live.current()
    except NoLiveVersion:
        yield (
            "no index version is live; run `vitrine ingest SOURCE --map FILE`, or `vitrine demo` to"
            " look around"
        )
        return
    if serving.index.count() == 0:
        yield (
            f"version {serving.index.info.name} is live but empty; run"
            " `vitrine ingest SOURCE --map FILE`"
        )
    elif not serving.index.info.words:
        yield (
            f"version {serving.index.info.name} keeps no words because an earlier release made it,"
            " so exact names and article numbers are not found by them; run `vitrine reindex`"
        )
    elif serving.index.search_model is None:
        yield (
            f"version {serving.index.info.name} has learned no words, so exact names and article"
            " numbers are not found; run `vitrine learn`"
        )


def _image_store(vitrine: Vitrine) -> Iterator[str]:
    vitrine.images.has("0" * 64)
    try:
        index = vitrine.live.current().index
    except VitrineError:
        return  # the check of the index says why
    batches = islice(index.scan(), _BATCHES)
    keys = [key for batch in batches for record in batch for key in record.image_keys]
    yield from damaged_pictures(vitrine.images, keys)


def _databases(vitrine: Vitrine) -> Iterator[str]:
    yield from damaged_databases(vitrine.settings.data_dir)


def _queue(vitrine: Vitrine) -> Iterator[str]:
    url = vitrine.settings.queue_url
    if not url.startswith("redis"):
        path = url.removeprefix("sqlite:")
        if path:
            require_writable(Path(path).parent, "VITRINE_QUEUE_URL")
        return
    import redis

    try:
        with closing(
            redis.Redis.from_url(url, socket_connect_timeout=3, socket_timeout=3)
        ) as client:
            client.ping()
    except redis.RedisError as error:
        yield f"the queue does not answer ({error}); start Redis, or correct VITRINE_QUEUE_URL"


def _admin(vitrine: Vitrine) -> Iterator[str]:
    token = vitrine.settings.admin_token.get_secret_value()
    if token and len(token) < 16:
        yield (
            "VITRINE_ADMIN_TOKEN is shorter than 16 characters; use a longer one, such as"
            " `openssl rand -hex 24` prints"
        )


CHECKS: dict[str, Check] = {
    "data folder": _data_folder,
    "model": _model,
    "detector": _detector,
    "backend": _backend,
    "index": _index,
    "databases": _databases,
    "image store": _image_store,
    "queue": _queue,
    "files": _files,
    "admin token": _admin,
}
"""Those of the engine, in the order in which they run."""


def _registered() -> dict[str, EntryPoint]:
    """The checks of other rooms by name; they run after the engine's."""
    entries = entry_points(group="vitrine.checks")
    return {entry.name: entry for entry in sorted(entries, key=lambda entry: entry.name)}


def examine(
    settings: Settings, names: Iterable[str]
) -> Iterator[tuple[str, list[str] | None, list[str]]]:
    """Each check's name, its faults and what is told besides, as it finishes; None for the faults
    where it cannot be made before the data folder can be used."""
    unusable = False
    with closing(Vitrine(settings)) as vitrine:
        for name in names:
            check: Check = CHECKS.get(name) or _registered()[name].load()
            try:
                faults: list[str] | None = list(check(vitrine))
            except VitrineError as error:
                faults = [str(error)]
            except OSError as error:
                faults = None if unusable else [str(error)]
            unusable = unusable or (name == "data folder" and bool(faults))
            yield name, faults, [] if faults is None else list(_described(vitrine, name))


def _described(vitrine: Vitrine, name: str) -> Iterator[str]:
    """What the backend says about the live version, and where the model runs; nothing if it cannot,
    as the check reports."""
    if name == "model":
        for embedder in vitrine.embedders.loaded:
            yield f"{embedder.info.name} runs on {embedder.compute.describe()}"
    if name == "backend":
        with suppress(VitrineError):
            yield from vitrine.versions.describe()


ALL = [*CHECKS, *_registered()]
"""Names of all checks."""


@click.command()
@click.option(
    "--only",
    "names",
    multiple=True,
    type=click.Choice(ALL),
    help="Run only this check; may be repeated.  [default: all]",
)
def doctor(names: tuple[str, ...]) -> None:
    """Check model, index, queue, workers, stores, port and disk, and say how to fix what is wrong.

    Exit status 1 if anything is wrong.
    """
    settings = load_settings()
    cores = os.cpu_count() or 1
    click.echo(
        f"backend {settings.backend}, model {settings.model},"
        f" data in {settings.data_dir.resolve()}, {cores} cores"
    )
    wrong = 0
    for name, faults, described in examine(settings, names or ALL):
        if faults is None:
            click.echo(
                f"?      {name}\n       cannot be checked before the data folder can be used"
            )
            continue
        wrong += len(faults)
        click.secho(
            f"{'ok   ' if not faults else 'WRONG'}  {name}", fg=None if not faults else "red"
        )
        for line in (*faults, *described):
            click.echo(f"       {line}")
    sys.exit(1 if wrong else 0)
