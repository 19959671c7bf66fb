"""What the benchmark of Qdrant sends once more to tell the client's time apart."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import perf_counter

from benchmarks.traffic import Traffic


@dataclass
class Message:
    name: str

    def ByteSize(self) -> int:  # noqa: N802  # as protobuf calls it
        return len(self.name)


@dataclass
class Method:
    """Answers at once; notes what it was sent, and what had been answered by then."""

    sent: list[tuple[str, int]] = field(default_factory=list)
    answered: int = 0

    def future(self, message: Message) -> Future[None]:
        self.sent.append((message.name, self.answered))
        method = self

        class Answer(Future[None]):
            def result(self, timeout: float | None = None) -> None:
                method.answered += 1

        return Answer()


def test_requests_are_sent_again_in_the_rounds_in_which_they_were_sent():
    traffic, method = Traffic(), Method()
    now: Callable[[], float] = perf_counter
    traffic.add(method, Message("before"), Message("answer"), now())
    mark, began = traffic.mark(), now()
    traffic.add(method, Message("first"), Message("answer"), began)
    traffic.add(method, Message("beside it"), Message("answer"), began)
    traffic.add(method, Message("then"), Message("answer"), now())
    assert (traffic.requests, traffic.received) == (4, 24)
    assert traffic.raw_seconds(mark) >= 0
    assert method.sent == [("first", 0), ("beside it", 0), ("then", 2)]
    assert traffic.requests == 4
