"""An embedder in another process or on another machine, reached over HTTP (`vitrine embedder`)."""

from __future__ import annotations

import json
import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from http import HTTPStatus
from http.client import BadStatusLine, HTTPException, RemoteDisconnected
from time import monotonic, sleep

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image
from pydantic import BaseModel, ConfigDict, ValidationError

from vitrine.embedding.http_connections import HttpAnswer, KeptConnections
from vitrine.embedding.image_preprocessor import ImagePreprocessor
from vitrine.embedding.ports import PREPARATION, Compute, ModelInfo
from vitrine.errors import ModelBusy, ModelLoading, ModelUnavailable
from vitrine.settings import ModelSettings

__all__ = ["FINGERPRINT", "MOST_TEXTS", "TRUNCATED", "ModelDescription", "RemoteEmbedder"]

FINGERPRINT = "Vitrine-Fingerprint"
"""The header of every answer that says which model made it."""
TRUNCATED = "Vitrine-Truncated"
"""The header with the places of texts that the model read only in part, parted by commas."""
MOST_TEXTS = 512
"""Texts in one request."""

_BYTES = 8_000_000
"""Bytes of pictures in one request: well below what a service takes by default."""
_PAUSE_S = 0.1
"""Before an embedder that is away is asked again."""
_MOST_BYTES = 1_000_000
"""Bytes of an answer beside its vectors: the model's description, or why there are none."""
_REMEMBERED = 10_000
"""Texts of which is remembered whether they were read in part."""

_Rows = NDArray[np.float32]


class ModelDescription(BaseModel):
    """What an embedder says of its model."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    fingerprint: str
    dimension: int
    logit_scale: float
    image_size: int
    device: str
    precision: str
    text_graphs: bool = False
    preparation: int
    pictures: ImagePreprocessor


class RemoteEmbedder:
    """An `Embedder` whose forward passes run where `embedder_url` says; pictures are prepared here.

    An embedder that is away, as while it is restarted, is asked again until the time for a query
    is over: `ModelUnavailable`, and `ModelLoading` while it has never answered. `ModelBusy` when it
    refuses because it is full. One that has another model than at first is not believed:
    `ModelUnavailable`.
    """

    def __init__(self, settings: ModelSettings) -> None:
        self._url = settings.embedder_url
        self._timeout_s = settings.query_timeout_s
        token = settings.embedder_token.get_secret_value()
        self._connections = KeptConnections(
            self._url, {"Authorization": f"Bearer {token}"} if token else {}
        )
        weakref.finalize(self, self._connections.close)
        self._truncated: OrderedDict[str, bool] = OrderedDict()
        self._lock = threading.Lock()
        self._absent: type[ModelUnavailable] = ModelLoading
        model = self._described()
        self._absent = ModelUnavailable
        self.info = ModelInfo(
            model.name, model.fingerprint, model.dimension, model.logit_scale, model.image_size
        )
        self.pictures = model.pictures
        self.compute = Compute(model.device, model.precision, model.text_graphs)

    def embed_texts(self, texts: Sequence[str]) -> _Rows:
        """One row per text."""
        starts = range(0, len(texts), MOST_TEXTS)
        return self._stacked([self._texts(texts[at : at + MOST_TEXTS]) for at in starts])

    def embed_images(self, images: Sequence[Image]) -> _Rows:
        """One row per picture."""
        return self.embed_pixels(self.preprocess(images))

    def preprocess(self, images: Sequence[Image]) -> NDArray[np.uint8]:
        """What the model looks at; made here."""
        return self.pictures.levels(images)

    def embed_pixels(self, pixels: NDArray[np.uint8]) -> _Rows:
        """One row per picture."""
        height, width = self.pictures.shape
        size = max(1, _BYTES // (height * width * 3))
        starts = range(0, len(pixels), size)
        return self._stacked([self._levels(pixels[at : at + size]) for at in starts])

    def truncates(self, text: str) -> bool:
        """Whether the model would read only the beginning of the text."""
        with self._lock:
            known = self._truncated.get(text)
        if known is None:
            self._texts([text])
            with self._lock:
                known = self._truncated.get(text, False)
        return known

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    def _texts(self, texts: Sequence[str]) -> _Rows:
        content = json.dumps({"texts": list(texts)}, ensure_ascii=False).encode()
        answer = self._send_with_retries(
            "/v1/texts", ("application/json", content), most_bytes=self._size(len(texts))
        )
        rows = self._rows(answer, len(texts))
        places = {int(place) for place in answer.headers.get(TRUNCATED, "").split(",") if place}
        with self._lock:
            for place, text in enumerate(texts):
                self._truncated[text] = place in places
                self._truncated.move_to_end(text)
            while len(self._truncated) > _REMEMBERED:
                self._truncated.popitem(last=False)
        return rows

    def _levels(self, levels: NDArray[np.uint8]) -> _Rows:
        content = np.ascontiguousarray(levels).tobytes()
        answer = self._send_with_retries(
            "/v1/pictures",
            ("application/octet-stream", content),
            most_bytes=self._size(len(levels)),
        )
        return self._rows(answer, len(levels))

    def _size(self, rows: int) -> int:
        """Bytes of so many vectors."""
        return 4 * rows * self.info.dimension

    def _rows(self, answer: HttpAnswer, count: int) -> _Rows:
        fingerprint = answer.headers.get(FINGERPRINT, "")
        if fingerprint != self.info.fingerprint:
            raise ModelUnavailable(
                f"the embedder at {self._url} has another model now (fingerprint {fingerprint[:12]}"
                f" instead of {self.info.fingerprint[:12]}); start again what embeds with it"
            )
        if len(answer.body) != self._size(count):
            raise ModelUnavailable(
                f"the embedder at {self._url} answered with {len(answer.body)} bytes for"
                f" {count} vectors of {self.info.dimension} dimensions"
            )
        rows = np.frombuffer(answer.body, "<f4").reshape(count, self.info.dimension)
        return rows.astype(np.float32)

    def _stacked(self, parts: list[_Rows]) -> _Rows:
        return np.concatenate(parts) if parts else np.zeros((0, self.info.dimension), np.float32)

    def _described(self) -> ModelDescription:
        answer = self._send_with_retries("/v1/model")
        try:
            model = ModelDescription.model_validate_json(answer.body)
        except ValidationError:
            raise ModelUnavailable(
                f"what answers at {self._url} is no embedder of this version of Vitrine"
            ) from None
        if model.preparation != PREPARATION:
            raise ModelUnavailable(
                f"the embedder at {self._url} is of a release that prepares pictures and texts"
                " otherwise; run the same release on both sides"
            )
        return model

    def _send_with_retries(
        self, path: str, body: tuple[str, bytes] | None = None, *, most_bytes: int = 0
    ) -> HttpAnswer:
        """The answer, asked for again while nobody is there or the model is being loaded."""
        until = monotonic() + self._timeout_s
        while True:
            left_s = max(until - monotonic(), _PAUSE_S)
            try:
                answer = self._connections.request(
                    path, body, timeout_s=left_s, most_bytes=max(most_bytes, _MOST_BYTES)
                )
            except TimeoutError:
                raise ModelBusy(
                    f"the embedder did not get to this query within {self._timeout_s:g} seconds;"
                    " try again"
                ) from None
            except (OSError, HTTPException) as error:
                if monotonic() + _PAUSE_S > until:
                    raise self._absent(
                        f"the embedder at {self._url} cannot be reached ({_cause(error)}); start"
                        " `vitrine embedder` there, or clear VITRINE_EMBEDDER_URL"
                    ) from None
            else:
                if answer.status == HTTPStatus.OK:
                    return answer
                refusal = _refusal(answer, self._url)
                loading = isinstance(refusal, ModelLoading)
                if not loading or monotonic() + _PAUSE_S > until:
                    raise refusal
            sleep(_PAUSE_S)


def _cause(error: OSError | HTTPException) -> str:
    """Why an embedder cannot be reached, in words."""
    if isinstance(error, FileNotFoundError):
        return "there is no such socket"
    if isinstance(error, PermissionError):
        return "this user may not open it"
    if isinstance(error, BadStatusLine) and not isinstance(error, RemoteDisconnected):
        return "what answers there does not speak HTTP"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _refusal(answer: HttpAnswer, url: str) -> ModelUnavailable | ModelBusy:
    try:
        problem = json.loads(answer.body)
        kind, detail = str(problem["type"]), str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        kind, detail = "", answer.body[:200].decode("utf-8", "replace")
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
        if kind.endswith(":model-unavailable"):
            return ModelLoading(f"the embedder at {url}: {detail}")
        return ModelBusy(f"the embedder is full; try again soon ({detail})")
    return ModelUnavailable(f"the embedder at {url} answers {answer.status}: {detail}")
