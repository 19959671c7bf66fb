"""A checkpoint exported for ONNX Runtime: what lies in its folder, and how it comes to be there
exactly once."""

from __future__ import annotations

import json
import logging
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from vitrine.embedding.checkpoint import Checkpoint, Role
from vitrine.embedding.image_preprocessor import ImagePreprocessor
from vitrine.embedding.tokenizer import Tokenizer, TokenizerConfig
from vitrine.errors import ModelUnavailable

__all__ = ["Export", "ExportRequest", "Manifest", "Precision", "exported", "is_exported"]

Precision = Literal["fp32", "int8"]

_LAYOUT = 4  # raise it when the graphs or the manifest change, so that older exports are made anew
_LONGEST_S = 3600.0
_log = logging.getLogger(__name__)


class Manifest(BaseModel):
    """What serving needs to know besides the graphs."""

    model_config = ConfigDict(frozen=True)

    dimension: int
    logit_scale: float
    images: ImagePreprocessor
    tokenizer: TokenizerConfig


class ExportRequest(BaseModel):
    """What the exporting process is told."""

    name: str
    source: Path
    role: Role
    precision: Precision
    target: Path
    exact: Path | None = None  # a finished fp32 export of the same checkpoint


class Export:
    """The files of one export: two graphs, the tokenizer, the manifest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.image_graph = folder / "image.onnx"
        self.text_graph = folder / "text.onnx"
        self.tokenizer = folder / "tokenizer.json"
        self.manifest = folder / "manifest.json"

    @property
    def complete(self) -> bool:
        """Whether it may be used: the folder gets its name only when all is in it."""
        return self.manifest.exists()

    def load_manifest(self) -> Manifest:
        """The manifest; `ModelUnavailable` when somebody damaged it."""
        try:
            return Manifest.model_validate_json(self.manifest.read_bytes())
        except (OSError, ValidationError) as error:
            raise ModelUnavailable(
                f"the exported model in {self.folder} is damaged; delete that folder and start "
                f"again ({error})"
            ) from None

    def load_tokenizer(self, config: TokenizerConfig) -> Tokenizer:
        """The checkpoint's tokenizer."""
        return Tokenizer(self.tokenizer.read_text("utf-8"), config)


def exported(
    checkpoint: Checkpoint, models: Path, *, fingerprint: str, role: Role, precision: Precision
) -> Export:
    """The export of a checkpoint under the folder `models`, made by a process of its own when it is
    not there yet.

    Several processes may ask at once: one makes it, the others wait. The exporting process alone
    loads torch, and gives its memory back. `ModelUnavailable` when the export fails or differs from
    torch.
    """
    folder = _folder(models, fingerprint, precision)
    export, exact = Export(folder), Export(folder.with_name(f"onnx-{_LAYOUT}-fp32"))
    if export.complete:
        return export
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{folder}.lock", timeout=_LONGEST_S):
            if not export.complete:
                request = ExportRequest(
                    name=checkpoint.name,
                    source=checkpoint.folder.absolute(),
                    role=role,
                    precision=precision,
                    target=folder,
                    exact=exact.folder if exact.complete else None,
                )
                _run(request)
    except Timeout:
        raise ModelUnavailable(
            f"another process has been exporting {checkpoint.name} for an hour; end it and delete "
            f"{folder}.lock"
        ) from None
    return export


def is_exported(checkpoint: Checkpoint, models: Path, *, precision: Precision) -> bool:
    """Whether the export is there, so that nothing would have to be made."""
    return Export(_folder(models, checkpoint.fingerprint(models), precision)).complete


def _folder(models: Path, fingerprint: str, precision: Precision) -> Path:
    return (models / fingerprint / f"onnx-{_LAYOUT}-{precision}").absolute()


def _run(request: ExportRequest) -> None:
    for broken in request.target.parent.glob(
        f"{request.target.name}.*.part"
    ):  # left by an export that was killed
        shutil.rmtree(broken, ignore_errors=True)
    if find_spec("torch") is None:
        raise ModelUnavailable(
            f"the model {request.name} has not been exported for ONNX Runtime yet "
            f"({request.target} is missing), and an export "
            "needs torch, which is not installed here: run `vitrine export` with the same "
            "VITRINE_DATA_DIR where "
            "vitrine[models] is installed (in Docker: the full image, vitrine:local)"
        )
    # a warning, which a command shows that sets up no log: nothing else moves meanwhile
    _log.warning(
        "exporting %s for ONNX Runtime, which is done once and takes up to some minutes",
        request.name,
    )
    command = [sys.executable, "-m", "vitrine.embedding.onnx_export", request.model_dump_json()]
    try:
        done = subprocess.run(  # noqa: S603  # our own module
            command, capture_output=True, text=True, timeout=_LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise ModelUnavailable(
            f"exporting {request.name} to ONNX took more than an hour; set VITRINE_RUNTIME=torch "
            "to do without"
        ) from None
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        memory = "; most likely there was too little memory" if name == "SIGKILL" else ""
        raise ModelUnavailable(f"exporting {request.name} to ONNX was ended by {name}{memory}")
    if done.returncode > 0:
        raise ModelUnavailable(
            _cause(done.stdout)
            or f"exporting {request.name} to ONNX failed: {done.stderr.strip()[-500:]}"
        )


def _cause(output: str) -> str | None:
    """The last line of the exporting process, when it is the JSON that tells a known cause."""
    try:
        message = json.loads(output.strip().splitlines()[-1])
        return str(message["unavailable"])
    except (IndexError, ValueError, KeyError, TypeError):
        return None
