"""The embedder as the processes around it see it: the model's own vectors, or a clear refusal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import numpy as np
import pytest
from flask import Flask
from numpy.typing import NDArray
from PIL import Image

from service.container import warm_up_of
from service.embedding import app
from service.embedding.app import build_embedder
from tests.fakes import COLORS, FakeEmbedder
from vitrine.embedding import load, remote
from vitrine.embedding.image_preprocessor import ImagePreprocessor
from vitrine.embedding.ports import PREPARATION, Compute
from vitrine.embedding.remote import MOST_TEXTS, RemoteEmbedder
from vitrine.errors import InvalidSettings, ModelBusy, ModelUnavailable
from vitrine.settings import Settings, load_settings
from vitrine.wiring import Vitrine

PLAIN = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
RULES = ImagePreprocessor(None, (32, 32), None, 3, 1.0, *PLAIN)
PICTURES = [Image.new("RGB", (40, 50), color) for color in COLORS.values()]
PATIENCE_S = 240


class Model(FakeEmbedder):
    """The stand-in, which wants its pictures as a checkpoint would."""

    def __init__(self, name: str = "fake") -> None:
        super().__init__(name=name)
        self.pictures: ImagePreprocessor = RULES  # type: ignore[assignment]
        self.failure: Exception | None = None
        self.texts_at_once: list[int] = []

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.texts_at_once.append(len(texts))
        if self.failure is not None:
            raise self.failure
        return super().embed_texts(texts)


class Machine:
    """The embedder's application and what others ask it by."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.model = Model()
        self.settings = Settings(data_dir=folder, model="fake", **settings)  # type: ignore[arg-type]
        self.app: Flask = build_embedder(
            Vitrine(self.settings, embedder=lambda _: self.model),
        )

    def client(self, **settings: object) -> RemoteEmbedder:
        named = {"embedder_url": "http://embedder", "query_timeout_s": PATIENCE_S, **settings}
        chosen = self.settings.model_copy(update=named)
        return RemoteEmbedder(chosen, transport=httpx.WSGITransport(self.app))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_vectors_are_the_models_own(machine: Machine) -> None:
    client, model = machine.client(), machine.model
    assert client.info == model.info
    assert client.compute == model.compute
    assert client.pictures == RULES
    texts = ["a red mug", "", "连衣裙", *(f"text {number}" for number in range(MOST_TEXTS))]
    assert np.array_equal(client.embed_texts(texts), model.embed_texts(texts))
    assert np.array_equal(client.embed_images(PICTURES), model.embed_images(PICTURES))
    assert client.embed_texts([]).shape == client.embed_images([]).shape == (0, 64)


def test_where_the_model_runs_is_told(machine: Machine) -> None:
    machine.model.compute = Compute("cuda:1", "bf16", text_graphs=True)
    assert machine.client().compute == machine.model.compute
    metrics = machine.app.test_client().get("/metrics").get_data(as_text=True)
    told = 'device="cuda:1",model="fake",precision="bf16",text_graphs="yes"'
    assert f"vitrine_model_info{{{told}}} 1.0" in metrics


def test_pictures_cross_in_parts_of_bounded_size(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = machine.client()
    monkeypatch.setattr(remote, "_BYTES", 2 * 32 * 32 * 3)
    assert np.array_equal(client.embed_images(PICTURES), machine.model.embed_images(PICTURES))
    assert machine.model.images_embedded == 2 * len(PICTURES)


def test_whether_a_text_is_cut_is_told_with_its_vector(machine: Machine) -> None:
    client = machine.client()
    long = "word " * 80
    client.embed_texts(["short", long])
    batches_before = len(machine.model.texts_at_once)
    assert [client.truncates(text) for text in ("short", long)] == [False, True]
    assert len(machine.model.texts_at_once) == batches_before
    assert client.truncates("another " * 80) is True


def test_another_model_behind_the_address_is_not_believed(machine: Machine) -> None:
    client = machine.client()
    machine.model = Model("other")
    machine.app = build_embedder(Vitrine(machine.settings, embedder=lambda _: machine.model))
    client._client._transport = httpx.WSGITransport(machine.app)
    for call in (lambda: client.embed_texts(["x"]), lambda: client.embed_images(PICTURES)):
        with pytest.raises(ModelUnavailable, match="another model now"):
            call()


def test_what_is_no_embedder_is_refused_by_name(machine: Machine) -> None:
    settings = machine.settings.model_copy(update={"embedder_url": "http://page"})
    for body in ("<html>", "{}"):
        transport = httpx.MockTransport(lambda _, body=body: httpx.Response(200, text=body))
        with pytest.raises(ModelUnavailable, match="is no embedder"):
            RemoteEmbedder(settings, transport=transport)


def test_an_embedder_of_a_release_that_prepares_otherwise_is_refused(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "PREPARATION", PREPARATION - 1)
    with pytest.raises(ModelUnavailable, match="run the same release on both sides"):
        machine.client()


def test_an_embedder_that_is_away_is_asked_until_the_time_is_over(machine: Machine) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    settings = machine.settings.model_copy(
        update={"embedder_url": "http://gone:1", "query_timeout_s": 0.15}
    )
    with pytest.raises(ModelUnavailable, match="http://gone:1 cannot be reached"):
        RemoteEmbedder(settings, transport=httpx.MockTransport(refuse))


def test_a_restart_loses_no_query(machine: Machine) -> None:
    """The connection breaks, nobody is there, the model is being loaded, and then it answers."""
    client = machine.client()
    answers = iter(["broken", "away", "loading"])

    class Restarting(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            state = next(answers, "there")
            if state == "broken":
                raise httpx.RemoteProtocolError("server disconnected")
            if state == "away":
                raise httpx.ConnectError("refused")
            warm_up = warm_up_of(machine.app)
            warm_up.obstacle = None
            if state == "loading":
                warm_up.begin()
            return httpx.WSGITransport(machine.app).handle_request(request)

    client._client._transport = Restarting()
    assert np.array_equal(client.embed_texts(["mug"]), machine.model.embed_texts(["mug"]))
    assert next(answers, None) is None


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (ModelBusy("the model did not get to this query"), ModelBusy),
        (RuntimeError("a bug"), ModelUnavailable),
    ],
)
def test_what_goes_wrong_there_is_told_here(
    machine: Machine, failure: Exception, kind: type[Exception]
) -> None:
    client = machine.client()
    machine.model.failure = failure
    with pytest.raises(kind) as caught:
        client.embed_texts(["mug"])
    assert type(caught.value) is kind
    assert "a bug" not in str(caught.value)


def test_a_slow_embedder_is_busy(machine: Machine) -> None:
    def wait(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("too slow")

    client = machine.client(query_timeout_s=0.5)
    client._client._transport = httpx.MockTransport(wait)
    with pytest.raises(ModelBusy, match=r"within 0\.5 seconds"):
        client.embed_texts(["mug"])


def test_only_who_knows_the_token_is_answered(tmp_path: Path) -> None:
    guarded = Machine(tmp_path, embedder_token="s3cret")
    assert len(guarded.client().embed_texts(["mug"])) == 1
    with pytest.raises(ModelUnavailable, match=r"401.*VITRINE_EMBEDDER_TOKEN"):
        guarded.client(embedder_token=Settings(embedder_token="wrong").embedder_token)
    assert guarded.app.test_client().get("/health/live").status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/texts", b"{"),
        ("/v1/texts", b'{"texts": [1]}'),
        ("/v1/texts", b'{"texts": "mug"}'),
        ("/v1/pictures", b"\0" * (32 * 32 * 3 + 1)),
    ],
)
def test_bad_requests_are_refused_in_words(machine: Machine, path: str, body: bytes) -> None:
    answer = machine.app.test_client().post(path, data=body)
    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["message"]


def test_the_probe_says_when_the_model_is_there(machine: Machine) -> None:
    probe = machine.app.test_client()
    warm_up_of(machine.app).begin()
    assert probe.get("/health/ready").status_code == 503
    assert warm_up_of(machine.app).run(
        Vitrine(machine.settings, embedder=lambda _: machine.model),
        threading.Event(),
        lambda _: True,
    )
    assert probe.get("/health/ready").status_code == 200
    assert b"vitrine_requests" in probe.get("/metrics").data


def test_the_settings_choose_it_and_its_calls_are_batched_and_kept(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain: Callable[..., RemoteEmbedder] = RemoteEmbedder
    transport = httpx.WSGITransport(machine.app)
    monkeypatch.setattr(remote, "RemoteEmbedder", lambda chosen: plain(chosen, transport=transport))
    settings = machine.settings.model_copy(update={"embedder_url": "http://embedder"})
    embedder = load.load_embedder(settings)
    before = len(machine.model.texts_at_once)
    first, again = (embedder.embed_texts(["mug"]) for _ in range(2))
    assert np.array_equal(first, again)
    assert len(machine.model.texts_at_once) == before + 1
    other = settings.model_copy(update={"model": "/nowhere"})
    with pytest.raises(ModelUnavailable, match="/nowhere does not exist"):
        load.load_embedder(other)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidSettings, match="must be http"):
        load_settings(embedder_url="10.0.0.5:8001")
