"""What goes over gRPC to Qdrant: requests, bytes, and the time that the server says it took."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from vitrine.index.qdrant.wire import GrpcClient

__all__ = ["Traffic", "recorded"]


@dataclass
class Traffic:
    """What went over the wire since it was last cleared; `server_ms` is what the server says."""

    requests: int = 0
    sent: int = 0
    received: int = 0
    server_ms: float = 0.0

    def clear(self) -> None:
        """Count anew."""
        self.requests = self.sent = self.received = 0
        self.server_ms = 0.0


class _RecordingStub:
    """A gRPC stub that counts what passes through it."""

    def __init__(self, stub: Any, traffic: Traffic) -> None:
        self._stub = stub
        self._traffic = traffic

    def __getattr__(self, method: str) -> Callable[..., Any]:
        call = getattr(self._stub, method)

        def recorded(request: Any, **options: Any) -> Any:
            answer = call(request, **options)
            self._traffic.requests += 1
            self._traffic.sent += request.ByteSize()
            self._traffic.received += answer.ByteSize()
            self._traffic.server_ms += 1e3 * getattr(answer, "time", 0.0)
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
