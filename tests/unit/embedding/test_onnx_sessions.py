"""Which sessions of ONNX Runtime are opened, each of which holds the weights once more."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from tests.support.turns import RecordedTurns
from vitrine.embedding import onnx_runtime
from vitrine.embedding.exported import Export
from vitrine.embedding.onnx_runtime import OnnxDualEncoderModel, open_session
from vitrine.embedding.tokenizer import TokenBatch


def threads_of_this_process() -> set[int]:
    tasks = Path("/proc/self/task")
    return {int(task.name) for task in tasks.iterdir()} if tasks.is_dir() else set()


def one_operation(file: Path) -> Path:
    shape = [2, 3]
    value = partial(onnx.helper.make_tensor_value_info, elem_type=1, shape=shape)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["x"], ["y"])], "one", [value("x")], [value("y")]
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    file.write_bytes(
        onnx.helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    )
    return file


def test_threads_of_a_session_may_run_on_every_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_runtime, "physical_cores", lambda: 3)
    before = threads_of_this_process()
    session = open_session(one_operation(tmp_path / "graph.onnx"), 0)
    assert session.get_session_options().intra_op_num_threads == 3
    for thread in threads_of_this_process() - before:
        assert os.sched_getaffinity(thread) == os.sched_getaffinity(0)
    x = np.array([[-1, 2, -3], [4, -5, 6]], np.float32)
    np.testing.assert_array_equal(session.run(None, {"x": x})[0], np.maximum(x, 0))


def means(inputs: NDArray[Any]) -> NDArray[np.float32]:
    rows: NDArray[np.float32] = inputs.reshape(len(inputs), -1).mean(1, dtype=np.float32)
    return rows[:, None]


class Sessions:
    """Stands in for ONNX Runtime: a picture's or text's row is its mean; threads of each session
    opened."""

    def __init__(self) -> None:
        self.opened: list[int] = []

    def open(self, graph: Path, threads: int) -> Any:
        self.opened.append(threads)
        return SimpleNamespace(run=lambda _, inputs: [means(*inputs.values())])


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> Sessions:
    sessions = Sessions()
    monkeypatch.setattr(onnx_runtime, "open_session", sessions.open)
    return sessions


def two_threads() -> OnnxDualEncoderModel:
    export = cast(Export, SimpleNamespace(image_graph=Path("image"), text_graph=Path("text")))
    return OnnxDualEncoderModel(export, threads=2, masked=False)


def pictures(count: int) -> NDArray[np.float32]:
    return np.random.default_rng(count).random((count, 3, 4, 4), np.float32)


def texts(count: int) -> TokenBatch:
    ids = np.random.default_rng(count).integers(0, 50_000, (count, 9))
    return TokenBatch(ids, np.ones_like(ids))


@pytest.mark.parametrize("count", [1, 2, 7, 8, 13])
def test_rows_are_in_order_however_pictures_are_shared_out(sessions: Sessions, count: int) -> None:
    model = two_threads()
    for batch in (pictures(count), pictures(16), pictures(count)):
        expected = batch.mean((1, 2, 3))[:, None]
        np.testing.assert_array_equal(model.encode_images(batch), expected)


def test_single_queries_open_one_session_and_an_ingest_another(sessions: Sessions) -> None:
    queries, ingest = two_threads(), two_threads()
    for count in (1, 3, 7):
        queries.encode_images(pictures(count))
    assert sessions.opened == [2]
    for count in (16, 16, 3):
        ingest.encode_images(pictures(count))
    assert sessions.opened == [2, 1], "the last pictures of an ingest open no further session"


def test_threads_that_share_a_batch_take_turns_on_the_cores(
    sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = RecordedTurns()
    monkeypatch.setattr(onnx_runtime, "core_turns", turns)
    held: list[bool] = []

    def run(_: object, inputs: dict[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        held.append(turns.held)
        return [means(*inputs.values())]

    monkeypatch.setattr(onnx_runtime, "open_session", lambda *_: SimpleNamespace(run=run))
    two_threads().encode_images(pictures(16))
    assert (held, turns.taken) == ([True] * 4, 4)
    two_threads().encode_texts(texts(32))
    assert (held, turns.taken) == ([True] * 6, 6)


@pytest.mark.parametrize("count", [1, 2, 7, 31, 32, 70])
def test_rows_are_in_order_however_texts_are_shared_out(sessions: Sessions, count: int) -> None:
    model = two_threads()
    for batch in (texts(count), texts(64), texts(count)):
        np.testing.assert_array_equal(model.encode_texts(batch), means(batch.ids))


def test_where_many_texts_come_first_one_session_of_one_thread_serves_them(
    sessions: Sessions,
) -> None:
    ingest = two_threads()
    for count in (32, 32, 3, 1):
        ingest.encode_texts(texts(count))
    assert sessions.opened == [1], "the last texts of an ingest open no further session"


def test_where_few_texts_come_first_no_second_session_is_opened(sessions: Sessions) -> None:
    service = two_threads()
    for count in (1, 16, 64):
        service.encode_texts(texts(count))
    assert sessions.opened == [2]
