"""Stages hand work on in bounded channels and end together."""

from __future__ import annotations

import threading
import time

import pytest

from ingest.pipeline.flow import Channel, Closed, Flow
from vitrine.errors import DecoderBusy


def _run(flow: Flow) -> None:
    flow.run(tick=lambda: None, every_s=0.01)


def test_everything_that_is_put_is_taken_once_by_several_stages() -> None:
    flow = Flow()
    first: Channel[int] = flow.channel(2)
    second: Channel[int] = flow.channel(2)
    taken: list[int] = []

    def produce() -> None:
        for number in range(500):
            first.put(number)

    def pass_on() -> None:
        while True:
            try:
                number = first.take()
            except Closed:
                return
            assert number is not None
            second.put(number)

    def collect() -> None:
        while True:
            try:
                number = second.take()
            except Closed:
                return
            assert number is not None
            taken.append(number)

    flow.stage("produce", produce, into=(first,))
    for worker in range(3):
        flow.stage(f"pass-{worker}", pass_on, into=(second,))
    flow.stage("collect", collect)
    _run(flow)
    assert sorted(taken) == list(range(500))


def test_a_channel_never_holds_more_than_its_capacity() -> None:
    flow = Flow()
    channel: Channel[int] = flow.channel(3)
    put: list[int] = []
    ahead: list[int] = []

    def produce() -> None:
        for number in range(50):
            channel.put(number)
            put.append(number)

    def consume() -> None:
        for number in range(50):
            time.sleep(0.001)
            ahead.append(len(put) - number)
            channel.take()

    flow.stage("produce", produce, into=(channel,))
    flow.stage("consume", consume)
    _run(flow)
    assert max(ahead) <= 3


def test_what_is_handed_on_together_keeps_its_order_and_the_channels_capacity() -> None:
    flow = Flow()
    channel: Channel[int] = flow.channel(3)
    taken: list[list[int]] = []

    def produce() -> None:
        for start in range(0, 40, 10):
            channel.put_all(range(start, start + 10))

    def consume() -> None:
        while True:
            try:
                taken.append(channel.take_some(5))
            except Closed:
                return

    flow.stage("produce", produce, into=(channel,))
    flow.stage("consume", consume)
    _run(flow)
    assert [number for part in taken for number in part] == list(range(40))
    assert max(map(len, taken)) <= 3


def test_one_thread_is_woken_once_for_what_is_handed_on_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flow = Flow()
    channel: Channel[int] = flow.channel(100)
    notified: list[int] = []
    monkeypatch.setattr(channel.filled, "notify", notified.append)
    channel.put_all(range(64))
    assert notified == [64]
    assert channel.take_some(40) == list(range(40))
    assert channel.take_some(40) == list(range(40, 64))


@pytest.mark.parametrize("failing", ["produce", "consume"])
def test_an_error_ends_all_stages_and_is_raised(failing: str) -> None:
    flow = Flow()
    channel: Channel[int] = flow.channel(1)

    def produce() -> None:
        for number in range(10**9):
            if failing == "produce" and number == 5:
                raise RuntimeError("broken stage")
            channel.put(number)

    def consume() -> None:
        while True:
            number = channel.take()
            if failing == "consume" and number == 5:
                raise RuntimeError("broken stage")

    before = set(threading.enumerate())
    flow.stage("produce", produce, into=(channel,))
    flow.stage("consume", consume)
    with pytest.raises(RuntimeError, match="broken stage"):
        _run(flow)
    assert set(threading.enumerate()) <= before


def test_an_error_in_the_waiting_thread_ends_all_stages() -> None:
    flow = Flow()
    channel: Channel[int] = flow.channel(1)

    def produce() -> None:
        while True:
            channel.put(1)

    def interrupt() -> None:
        raise KeyboardInterrupt

    before = set(threading.enumerate())
    flow.stage("produce", produce, into=(channel,))
    with pytest.raises(KeyboardInterrupt):
        flow.run(tick=interrupt, every_s=0.01)
    assert set(threading.enumerate()) <= before


def test_taking_with_a_time_limit_gives_none_while_nothing_comes() -> None:
    flow = Flow()
    channel: Channel[int] = flow.channel(1)
    seen: list[int | None] = []
    done = threading.Event()

    def produce() -> None:
        done.wait(240)
        channel.put(7)

    def consume() -> None:
        seen.append(channel.take(0.01))
        done.set()
        seen.append(channel.take(240))

    flow.stage("produce", produce, into=(channel,))
    flow.stage("consume", consume)
    _run(flow)
    assert seen == [None, 7]


def test_where_the_system_starts_no_more_threads_those_that_run_end_and_the_error_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    flow = Flow()
    channel: Channel[int] = flow.channel(1)
    start, began = threading.Thread.start, []

    def start_or_fail(thread: threading.Thread) -> None:
        if thread.name == "one too many":
            raise RuntimeError("can't start new thread")
        start(thread)
        began.append(thread)

    flow.stage("waits for ever", lambda: print(channel.take()))
    flow.stage("one too many", lambda: None, into=(channel,))
    monkeypatch.setattr(threading.Thread, "start", start_or_fail)
    with pytest.raises(DecoderBusy, match=r"start new thread.*VITRINE_DECODE_PROCESSES"):
        _run(flow)
    assert [thread.is_alive() for thread in began] == [False]


def test_where_a_stage_gets_no_thread_for_its_pool_the_error_says_so_too() -> None:
    def work() -> None:
        raise RuntimeError("can't start new thread")

    flow = Flow()
    flow.stage("pool", work)
    with pytest.raises(DecoderBusy, match=r"start new thread.*VITRINE_DECODE_PROCESSES") as told:
        _run(flow)
    assert isinstance(told.value.__cause__, RuntimeError)


def test_another_error_of_a_stage_is_raised_as_it_is() -> None:
    def work() -> None:
        raise RuntimeError("a fault")

    flow = Flow()
    flow.stage("faulty", work)
    with pytest.raises(RuntimeError, match=r"^a fault$"):
        _run(flow)
