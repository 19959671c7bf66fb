"""One client's connection: reads a whole request, has it answered, writes the answer, over again.

h11 knows the protocol (RFC 9112), asyncio the socket; what is kept here is the time and the size of
everything, so that a client that is slow, silent or gone costs a socket and nothing else.
"""

from __future__ import annotations

import asyncio
import io
import logging
from enum import Enum, auto
from http import HTTPStatus
from time import monotonic
from typing import Any, Protocol, cast
from urllib.parse import quote

import h11

from service.edge import refusals
from service.edge.calls import CLIENT_GONE, Answer, as_bytes, environ_of
from service.edge.heads import Head, fault_of_head
from service.edge.limits import EdgeLimits
from service.edge.refusals import Refusal, malformed
from service.edge.workload import Workload
from service.headers import REQUEST_ID, SECURITY, sound_request_id

__all__ = ["GRACE_S", "Connection", "Edge"]

log = logging.getLogger(__name__)
access = logging.getLogger("service.access")

GRACE_S = 10.0
"""Before the least rate of a body or an answer holds."""
_GONE_S = 2.0
"""After a client has ended its side of the connection, until it is taken for gone altogether."""
_LINGER_S = 2.0
"""For a refused client to read why, before its connection is reset (RFC 9112, section 9.6)."""
_HEAD_BYTES = 65_536
_AHEAD_BYTES = 65_536
"""Of further requests that a client may send before it has the answer to the first."""
_TINY_CHUNKS = 10_000
"""Chunks that may be smaller than `_TINY` bytes on average: each costs more than its bytes."""
_TINY = 16


class Edge(Protocol):
    """What a connection needs of its serving process."""

    limits: EdgeLimits
    workload: Workload

    @property
    def closing(self) -> bool: ...

    def joined(self, connection: Connection) -> None: ...

    def left(self, connection: Connection) -> None: ...

    def give_up_oldest(self, phase: Phase) -> None: ...

    def refused(self, reason: str) -> None: ...


class Phase(Enum):
    """What the connection waits for."""

    IDLE = auto()  # the first byte of a request
    HEAD = auto()
    BODY = auto()
    WORK = auto()  # the application
    WRITE = auto()  # the client, to take the answer
    LINGER = auto()  # the client, to read why it was refused


class Connection(asyncio.Protocol):
    """The state of one connection; belongs to the event loop's thread."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._limits = edge.limits
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES)
        self._transport: asyncio.Transport
        self.phase = Phase.IDLE
        self.deadline = monotonic() + self._limits.head_timeout_s
        self._raw_head = bytearray()
        self._head: Head | None = None
        self._body = io.BytesIO()
        self._chunks = 0
        self.began = 0.0
        self._held_bytes = 0
        self._unsent = 0
        self._congested = False
        self._paused = False
        self._last = False
        self._window_began = 0.0
        self._window_bytes = 0
        self._gone_since: float | None = None

    # the socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)
        self._edge.joined(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of a request have come."""
        if self.phase is Phase.LINGER:
            return
        if self.phase is Phase.IDLE:
            self._set(Phase.HEAD, self._limits.head_timeout_s)
        if self.phase is Phase.HEAD:
            self._raw_head += data
        self._http.receive_data(data)
        if self.phase in (Phase.HEAD, Phase.BODY):
            self._read_on()
        elif not self._paused and len(self._http.trailing_data[0]) > _AHEAD_BYTES:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """The client sends no more; it may still read."""
        if self.phase is Phase.IDLE or self.phase is Phase.LINGER:
            return False
        self._gone_since = monotonic()
        if self.phase is Phase.BODY:
            self._refuse(refusals.INCOMPLETE)
        elif self.phase is Phase.HEAD:
            self._refuse(malformed(400, "the head of the request is incomplete"))
        return True

    def connection_lost(self, error: Exception | None) -> None:
        """The connection is closed."""
        self._gone_since = monotonic() - _GONE_S
        self._release()
        self._edge.left(self)

    def pause_writing(self) -> None:
        """The client takes the answer more slowly than it is written."""
        self._congested = True

    def resume_writing(self) -> None:
        """The client has taken all of it."""
        self._congested = False
        # not at once: the transport does not bear to be closed while it calls this
        asyncio.get_running_loop().call_soon(self._write_drained)

    def _write_drained(self) -> None:
        if self.phase is Phase.WRITE and not self._congested and not self._transport.is_closing():
            self._next_request()

    # the time

    def check(self, now: float) -> None:
        """End what has taken too long."""
        if self.phase is Phase.BODY and self._too_slow(now):
            self._refuse(refusals.BODY_TOO_SLOW)
        elif self.phase is Phase.WORK or now < self.deadline:
            return
        elif self.phase is Phase.HEAD:
            self._refuse(refusals.HEAD_TOO_SLOW)
        elif self.phase is Phase.BODY:
            self._refuse(refusals.BODY_TOO_SLOW)
        elif self.phase is Phase.IDLE:
            self._transport.close()
        else:
            self._transport.abort()

    def close_if_idle(self) -> None:
        """End the connection unless a request is under way."""
        if self.phase in (Phase.IDLE, Phase.LINGER):
            self._transport.close()

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    def turn_away(self) -> None:
        """Refuse a connection that is one too many."""
        self._refuse(refusals.TOO_MANY_CONNECTIONS)

    def give_way(self) -> None:
        """End the request that is slowly read or answered, to make room for others."""
        if self.phase is Phase.BODY:
            self._refuse(refusals.BODY_TOO_SLOW)
        else:
            self._transport.abort()

    def _too_slow(self, now: float) -> bool:
        """Whether the last `GRACE_S` seconds brought less of the body than the least rate."""
        if now - self._window_began < GRACE_S:
            return False
        slow = self._window_bytes < (now - self._window_began) * self._limits.least_rate
        self._window_began, self._window_bytes = now, 0
        return slow

    def _set(self, phase: Phase, seconds: float) -> None:
        self.deadline = monotonic() + seconds
        self.phase = phase

    # the request

    def _read_on(self) -> None:
        try:
            while self.phase in (Phase.HEAD, Phase.BODY):
                event = self._http.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    return
                if isinstance(event, h11.Request):
                    self._begin(event)
                elif isinstance(event, h11.Data):
                    self._keep(event)
                elif isinstance(event, h11.EndOfMessage):
                    self._complete(event)
        except h11.RemoteProtocolError as error:
            self._refuse(self._refusal_of(error))

    def _refusal_of(self, error: h11.RemoteProtocolError) -> Refusal:
        line_end = self._raw_head.find(b"\n")
        if self.phase is Phase.HEAD and not -1 < line_end <= refusals.LONGEST_TARGET:
            return refusals.URI_TOO_LONG
        return malformed(error.error_status_hint, f"the request is not valid HTTP: {error}"[:300])

    def _begin(self, request: h11.Request) -> None:
        """The head is here: refuse what can be refused before the body is read."""
        head = self._head = Head.of(request)
        raw, self._raw_head = bytes(self._raw_head), bytearray()
        fault = fault_of_head(head, raw)
        if fault is not None:
            self._refuse(fault)
        elif head.length > self._limits.body_bytes:
            self._refuse(refusals.body_too_large(self._limits.body_bytes))
        elif (head.length or head.chunked) and self._edge.workload.full:
            self._refuse(refusals.BUSY)
        else:
            self._last = head.last
            self.began = self._window_began = monotonic()
            self._window_bytes = 0
            self._set(Phase.BODY, self._limits.body_timeout_s)
            if self._http.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[])
                self._transport.write(self._http.send(go_on) or b"")

    def _keep(self, part: h11.Data) -> None:
        self._body.write(part.data)
        self._hold(len(part.data))
        self._chunks += part.chunk_end
        if self._held_bytes > self._limits.body_bytes:
            self._refuse(refusals.body_too_large(self._limits.body_bytes))
        elif self._chunks > _TINY_CHUNKS and self._held_bytes < _TINY * self._chunks:
            self._refuse(refusals.BAD_CHUNKS)
        elif self._edge.workload.overfed:
            self._edge.give_up_oldest(Phase.BODY)
            if self.phase is Phase.BODY and self._edge.workload.overfed:
                self._refuse(refusals.BUSY)

    def _complete(self, end: h11.EndOfMessage) -> None:
        """The request is whole: hand it on."""
        if end.headers or self._head is None:
            self._refuse(refusals.TRAILERS)
            return
        head = self._head
        self._body.seek(0)
        try:
            environ = environ_of(head, self._body, self._client(), self._server())
        except ValueError as error:
            self._refuse(malformed(400, f"the request's target is {error}"))
            return
        if self._edge.workload.full and not self._edge.workload.is_probe(environ):
            self._refuse(refusals.BUSY)
            return
        environ[CLIENT_GONE] = self._is_gone
        self.phase = Phase.WORK
        self._edge.workload.submit(environ, self._answered)

    def _is_gone(self) -> bool:
        since = self._gone_since
        return since is not None and monotonic() - since >= _GONE_S

    # the answer

    def _answered(self, answer: Answer | Refusal | None) -> None:
        if self._transport.is_closing():
            return
        if answer is None:
            self._transport.abort()
        elif isinstance(answer, Refusal):
            self._refuse(answer)
        else:
            try:
                self._write(answer)
            except UnicodeError:
                log.exception("an answer has a header that is not Latin-1")
                self._refuse(refusals.FAILED)
                return
            self._release()
            self._wait_until_taken()

    def _refuse(self, refusal: Refusal) -> None:
        """Answer with a problem document and end the connection."""
        self._edge.refused(refusal.reason)
        path = "" if self._head is None else self._head.target.partition("?")[0]
        request_id = self._id()
        body = refusal.document(path[:500], request_id)
        headers = [*refusal.headers(), *SECURITY.items(), (REQUEST_ID, request_id)]
        headers += self._open_to_origin()
        method = "" if self._head is None else self._head.method
        seen = {"method": method or "-", "path": quote(path[:200]), "status": refusal.status}
        client = self._client()[0]
        extra = {**seen, "reason": refusal.reason, "client": client, "request_id": request_id}
        access.info("%(method)s %(path)s %(status)s refused", seen, extra=extra)
        self._release()
        self._last = True
        self._write(Answer(refusal.status, HTTPStatus(refusal.status).phrase, headers, body))
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._set(Phase.LINGER, _LINGER_S)
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def _client(self) -> tuple[Any, ...]:
        """Host and port of the client's socket; of a Unix socket, or one that has gone, none."""
        address = self._transport.get_extra_info("peername")
        return address if address and isinstance(address, tuple) else ("", 0)

    def _server(self) -> tuple[Any, ...]:
        """Host and port of the socket that accepted the client; a Unix socket is this machine's."""
        address = self._transport.get_extra_info("sockname")
        return address if isinstance(address, tuple) else ("localhost", 80)

    def _id(self) -> str:
        return sound_request_id(self._field(REQUEST_ID.lower()))

    def _open_to_origin(self) -> list[tuple[str, str]]:
        """Let a page that may call the API read why it was refused (service/cross_origin.py)."""
        origin = self._field("origin")
        if not origin or not self._limits.origins & {"*", origin}:
            return []
        exposed = ("Access-Control-Expose-Headers", f"{REQUEST_ID}, Retry-After")
        return [("Access-Control-Allow-Origin", origin), exposed, ("Vary", "Origin")]

    def _field(self, name: str) -> str:
        fields = {} if self._head is None else dict(self._head.fields)
        return fields.get(name.encode(), b"").decode("latin-1")

    def _write(self, answer: Answer) -> None:
        method = "" if self._head is None else self._head.method
        last = self._last or self._edge.closing
        self._last = last
        self._transport.write(as_bytes(answer, method=method, last=last))

    def _wait_until_taken(self) -> None:
        if not self._congested:
            self._next_request()
            return
        self._unsent = self._transport.get_write_buffer_size()
        self._edge.workload.unsent_bytes += self._unsent
        seconds = GRACE_S + self._unsent / max(self._limits.least_rate, 1)
        self._set(Phase.WRITE, min(seconds, self._limits.body_timeout_s))
        if self._edge.workload.clogged:
            self._edge.give_up_oldest(Phase.WRITE)

    def _next_request(self) -> None:
        self._release()
        if self._last or self._gone_since is not None:
            self._set(Phase.LINGER, _LINGER_S)
            self._transport.close()
            return
        ahead = bytes(self._http.trailing_data[0])
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES)
        self._head = None
        self._set(Phase.IDLE, self._limits.keepalive_s)
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        if ahead:
            self.data_received(ahead)

    def _hold(self, size: int) -> None:
        self._held_bytes += size
        self._window_bytes += size
        self._edge.workload.held_bytes += size

    def _release(self) -> None:
        """Forget the request and what it held."""
        self._edge.workload.held_bytes -= self._held_bytes
        self._edge.workload.unsent_bytes -= self._unsent
        self._held_bytes = self._unsent = self._chunks = 0
        self._body = io.BytesIO()
