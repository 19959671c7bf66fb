"""What goes over gRPC to Qdrant: requests, bytes, the time that the server says it took, and how
long the same requests take without Vitrine and Qdrant's client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from vitrine.index.qdrant.grpc_client import GrpcClient

__all__ = ["Traffic", "recorded"]


@dataclass(frozen=True)
class _Sent:
    """A request that has been answered: the stub's method, its message, and when."""

    method: Any
    message: Any
    began: float
    ended: float


@dataclass
class Traffic:
    """What went over the wire since it was last cleared; `server_ms` is what the server says."""

    sent: int = 0
    received: int = 0
    server_ms: float = 0.0
    _requests: list[_Sent] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """How many there were."""
        return len(self._requests)

    def clear(self) -> None:
        """Count anew."""
        self.sent = self.received = 0
        self.server_ms = 0.0
        self._requests.clear()

    def mark(self) -> int:
        """A place among the requests, for `raw_seconds`."""
        return len(self._requests)

    def raw_seconds(self, mark: int) -> float:
        """How long the requests since a mark take when their messages are sent again, those that
        were sent together together, and the answers are not looked at."""
        began = perf_counter()
        for together in _rounds(self._requests[mark:]):
            for answer in [sent.method.future(sent.message) for sent in together]:
                answer.result()
        return perf_counter() - began

    def add(self, method: Any, request: Any, answer: Any, began: float) -> None:
        """Take a request that has been answered."""
        self._requests.append(_Sent(method, request, began, perf_counter()))
        self.sent += request.ByteSize()
        self.received += answer.ByteSize()
        self.server_ms += 1e3 * getattr(answer, "time", 0.0)


def _rounds(requests: list[_Sent]) -> Iterator[list[_Sent]]:
    """The requests, parted where one was sent when all before it had been answered."""
    together: list[_Sent] = []
    for sent in sorted(requests, key=lambda sent: sent.began):
        if together and sent.began >= max(other.ended for other in together):
            yield together
            together = []
        together.append(sent)
    if together:
        yield together


class _RecordingStub:
    """A gRPC stub that counts what passes through it."""

    def __init__(self, stub: Any, traffic: Traffic) -> None:
        self._stub = stub
        self._traffic = traffic

    def __getattr__(self, method: str) -> Callable[..., Any]:
        call = getattr(self._stub, method)

        def recorded(request: Any, **options: Any) -> Any:
            began = perf_counter()
            answer = call(request, **options)
            self._traffic.add(call, request, answer, began)
            return answer

        return recorded


@contextmanager
def recorded() -> Iterator[Traffic]:
    """Count what this process asks of Qdrant's points until the block ends."""
    traffic, stub = Traffic(), GrpcClient.stub
    GrpcClient.stub = property(  # type: ignore[assignment]  # put back below
        lambda client: _RecordingStub(stub.fget(client), traffic)  # type: ignore[attr-defined]
    )
    try:
        yield traffic
    finally:
        GrpcClient.stub = stub  # type: ignore[method-assign]
