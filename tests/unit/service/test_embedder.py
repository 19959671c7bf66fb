"""The embedder as the processes around it see it: the model's own vectors, or a clear refusal."""

from __future__ import annotations

import errno
import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from numpy.typing import NDArray
from PIL import Image

from service.container import warm_up_of
from service.edge.calls import Environ
from service.edge.limits import EdgeLimits
from service.embedding import app
from service.embedding.app import build_embedder
from service.embedding.unix_socket import listen_at
from tests.fakes import COLORS, FakeEmbedder
from tests.redis_server import free_port
from tests.support.edge_server import EdgeServer
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


@dataclass(frozen=True)
class Address:
    """A loopback port, or the path of a Unix socket."""

    at: int | Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.at}" if isinstance(self.at, int) else f"unix:{self.at}"

    def listen(self) -> socket.socket:
        if isinstance(self.at, int):
            return socket.create_server(("127.0.0.1", self.at), backlog=100)
        return listen_at(self.at)


class Machine:
    """The embedder's application, served at an address, and what others ask it by."""

    def __init__(self, folder: Path, address: Address, **settings: object) -> None:
        self.address = address
        self.model = Model()
        self.settings = Settings(data_dir=folder, model="fake", **settings)  # type: ignore[arg-type]
        self.app: Flask = build_embedder(
            Vitrine(self.settings, embedder=lambda _: self.model),
        )
        self.calls: list[str] = []
        self.hooks: list[Callable[[], None]] = []
        """Called in the place of the first requests' turns, one each."""
        self.start()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.calls.append(environ["PATH_INFO"])
        if self.hooks:
            self.hooks.pop(0)()
        return self.app.wsgi_app(environ, start_response)

    def start(self) -> None:
        self.server = EdgeServer(self, EdgeLimits.of(self.settings), self.address.listen())

    def stop(self) -> None:
        self.server.close()

    def client(self, **settings: object) -> RemoteEmbedder:
        named = {"embedder_url": self.address.url, "query_timeout_s": PATIENCE_S, **settings}
        return RemoteEmbedder(self.settings.model_copy(update=named))


@pytest.fixture(params=["http", "unix"])
def address(request: pytest.FixtureRequest, socket_folder: Path) -> Address:
    return Address(socket_folder / "embedder" if request.param == "unix" else free_port())


@pytest.fixture
def machine(tmp_path: Path, address: Address) -> Iterator[Machine]:
    made = Machine(tmp_path, address)
    yield made
    made.stop()


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
    for call in (lambda: client.embed_texts(["x"]), lambda: client.embed_images(PICTURES)):
        with pytest.raises(ModelUnavailable, match="another model now"):
            call()


@pytest.mark.parametrize("body", ["<html>", "{}"])
def test_what_is_no_embedder_is_refused_by_name(machine: Machine, body: str) -> None:
    def page() -> str:
        return body

    machine.app = Flask("page")
    machine.app.add_url_rule("/v1/model", view_func=page)
    with pytest.raises(ModelUnavailable, match=f"{machine.address.url} is no embedder"):
        machine.client()


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure is told at once: there is no time for the pause before the next try."""
    monkeypatch.setattr(remote, "_PAUSE_S", 2.0 * PATIENCE_S)


@pytest.mark.usefixtures("at_once")
def test_what_does_not_speak_http_is_told(address: Address) -> None:
    def greet() -> None:
        with listening.accept()[0] as client:
            client.recv(65_536)
            client.sendall(b"220 mail.example ESMTP\r\n")
            client.recv(65_536)  # until it is closed

    settings = Settings(model="fake", embedder_url=address.url, query_timeout_s=PATIENCE_S)
    with address.listen() as listening:
        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(ModelUnavailable, match="answers there does not speak HTTP"):
            RemoteEmbedder(settings)
        thread.join(PATIENCE_S)


def test_an_embedder_of_a_release_that_prepares_otherwise_is_refused(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "PREPARATION", PREPARATION - 1)
    with pytest.raises(ModelUnavailable, match="run the same release on both sides"):
        machine.client()


@pytest.mark.usefixtures("at_once")
def test_an_embedder_that_is_away_is_told(address: Address) -> None:
    settings = Settings(model="fake", embedder_url=address.url, query_timeout_s=PATIENCE_S)
    reason = "Connection refused" if isinstance(address.at, int) else "there is no such socket"
    told = re.escape(f"{address.url} cannot be reached ({reason})")
    with pytest.raises(ModelUnavailable, match=told):
        RemoteEmbedder(settings)


def test_an_embedder_that_is_away_is_asked_until_the_time_is_over(
    address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(remote, "monotonic", lambda: sum(pauses))
    monkeypatch.setattr(remote, "sleep", pauses.append)
    settings = Settings(model="fake", embedder_url=address.url, query_timeout_s=1.05)
    with pytest.raises(ModelUnavailable, match="cannot be reached"):
        RemoteEmbedder(settings)
    assert len(pauses) == 10


@pytest.mark.usefixtures("at_once")
def test_a_socket_that_this_user_may_not_open_is_told(
    socket_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may open every socket, so the system's refusal is played."""

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    url = f"unix:{socket_folder}/embedder"
    settings = Settings(model="fake", embedder_url=url, query_timeout_s=PATIENCE_S)
    with pytest.raises(ModelUnavailable, match=r"cannot be reached \(this user may not open it"):
        RemoteEmbedder(settings)


def test_an_embedder_that_comes_late_is_waited_for(
    tmp_path: Path, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `vitrine up` starts both at once."""
    started: list[Machine] = []

    def start(_: float) -> None:
        if not started:
            started.append(Machine(tmp_path, address))

    monkeypatch.setattr(remote, "sleep", start)
    settings = Settings(model="fake", embedder_url=address.url, query_timeout_s=PATIENCE_S)
    client = RemoteEmbedder(settings)
    (machine,) = started
    assert client.info == machine.model.info
    machine.stop()


def test_a_restart_loses_no_query(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """It dies in the middle of a query; nobody is there; the model is being loaded; it answers."""
    client = machine.client()
    warm_up = warm_up_of(machine.app)
    before = len(machine.calls)
    machine.hooks = [machine.server.abort_connections]
    seen: list[str] = []

    def restart(_: float) -> None:
        seen.append("waits")
        if len(seen) == 1:
            machine.stop()
        elif len(seen) == 2:
            warm_up.begin()
            machine.start()
        elif len(seen) == 3:
            warm_up.obstacle = None

    monkeypatch.setattr(remote, "sleep", restart)
    assert np.array_equal(client.embed_texts(["mug"]), machine.model.embed_texts(["mug"]))
    assert len(seen) == 3
    assert len(machine.calls) - before == 3


def test_a_query_after_a_restart_is_asked_once(machine: Machine) -> None:
    """Its kept connection is closed: that is seen before the query is sent."""
    client = machine.client()
    machine.stop()
    machine.start()
    before = len(machine.calls)
    assert np.array_equal(client.embed_texts(["mug"]), machine.model.embed_texts(["mug"]))
    assert len(machine.calls) - before == 1


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
    client, go = machine.client(), threading.Event()
    machine.hooks = [lambda: assert_set(go)]
    client._timeout_s = 0.2
    with pytest.raises(ModelBusy, match=r"within 0\.2 seconds"):
        client.embed_texts(["mug"])
    go.set()


def assert_set(event: threading.Event) -> None:
    assert event.wait(PATIENCE_S)


def test_only_who_knows_the_token_is_answered(tmp_path: Path, address: Address) -> None:
    guarded = Machine(tmp_path, address, embedder_token="s3cret")
    assert len(guarded.client().embed_texts(["mug"])) == 1
    with pytest.raises(ModelUnavailable, match=r"401.*VITRINE_EMBEDDER_TOKEN"):
        guarded.client(embedder_token=Settings(embedder_token="wrong").embedder_token)
    assert guarded.app.test_client().get("/health/live").status_code == 200
    guarded.stop()


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


def test_the_settings_choose_it_and_its_calls_are_batched_and_kept(machine: Machine) -> None:
    settings = machine.settings.model_copy(update={"embedder_url": machine.address.url})
    embedder = load.load_embedder(settings)
    before = len(machine.model.texts_at_once)
    first, again = (embedder.embed_texts(["mug"]) for _ in range(2))
    assert np.array_equal(first, again)
    assert len(machine.model.texts_at_once) == before + 1
    other = settings.model_copy(update={"model": "/nowhere"})
    with pytest.raises(ModelUnavailable, match="/nowhere does not exist"):
        load.load_embedder(other)


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("10.0.0.5:8001", "must be http"),
        ("http://a..b:8001", "must be http"),
        (f"http://{'x' * 64}", "must be http"),
        ("/run/embedder", "or unix: and a socket's whole path"),
        ("unix:embedder", "must be unix: and a socket's whole path"),
        ("unix://run/embedder", "must be unix: and a socket's whole path"),
        (f"unix:/{'x' * 107}", "of at most 107 bytes"),
        (f"unix:/{'é' * 54}", "of at most 107 bytes"),
        ("http://user:password@10.0.0.5:8001", "VITRINE_EMBEDDER_TOKEN is what is sent"),
    ],
)
def test_an_address_that_is_none_is_refused(url: str, rule: str) -> None:
    with pytest.raises(InvalidSettings, match=rule):
        load_settings(embedder_url=url)


@pytest.mark.parametrize("url", ["unix:/run/embedder", "unix:///run/embedder"])
def test_a_unix_socket_is_named_as_other_programs_name_it(url: str) -> None:
    assert load_settings(embedder_url=url).embedder_url == "unix:/run/embedder"
