"""A gunicorn worker whose sockets belong to an event loop and whose requests to a pool of threads.

gunicorn's own threaded worker reads head and body in the thread that answers: as many silent
clients as there are threads stop it. Here a thread is only ever given a whole request.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
from collections.abc import Callable
from time import monotonic
from typing import Any

from gunicorn.workers.base import Worker

from service.edge.connection import Connection, Phase
from service.edge.limits import EdgeLimits
from service.edge.workload import Workload
from service.memory import FreedMemory

__all__ = ["EdgeWorker", "ServingEdge"]

log = logging.getLogger(__name__)

_TICK_S = 0.25
"""Seconds between checks of the clock: deadlines are this exact."""
_LAST_CALL_S = 0.25
"""Seconds for requests that were on their way when the process was asked to stop."""
_PAUSE_S = 0.5
"""Before another connection is accepted when the process has no descriptor left."""
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class ServingEdge:
    """All connections of a serving process; belongs to the event loop's thread."""

    def __init__(
        self, workload: Workload, limits: EdgeLimits, refused: Callable[[str], None]
    ) -> None:
        self.limits = limits
        self.workload = workload
        self.stopping = False
        self.aside = False
        """Whether connections are left to processes that are ready, as this one is not."""
        self.refused = refused
        self._connections: dict[Connection, None] = {}  # in the order in which they came

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    @property
    def closing(self) -> bool:
        """Whether every answer is the last of its connection."""
        return self.stopping or self.aside

    @property
    def busy(self) -> bool:
        """Whether a request is being read, worked on or answered."""
        return any(each.phase not in (Phase.IDLE, Phase.LINGER) for each in self._connections)

    def joined(self, connection: Connection) -> None:
        """Count a new connection in; beyond the limit the longest idle one has to go, or it."""
        self._connections[connection] = None
        if len(self._connections) <= self.limits.connections:
            return
        idle = [each for each in self._connections if each.phase is Phase.IDLE]
        oldest = min(idle, key=lambda each: each.deadline)
        if oldest is connection:
            connection.turn_away()
        else:
            oldest.close_if_idle()

    def left(self, connection: Connection) -> None:
        """Count a connection out."""
        self._connections.pop(connection, None)

    def give_up_oldest(self, phase: Phase) -> None:
        """End the request that has been in a phase for the longest time."""
        candidates = [each for each in self._connections if each.phase is phase]
        if candidates:
            min(candidates, key=lambda each: each.began).give_way()

    def tick(self) -> None:
        """End what has taken too long."""
        now = monotonic()
        for connection in list(self._connections):
            connection.check(now)

    def stop(self) -> None:
        """Close what is idle; every answer from now on is the last of its connection."""
        self.stopping = True
        self.close_idle()

    def close_idle(self) -> None:
        """Close the connections on which no request is under way."""
        for connection in list(self._connections):
            connection.close_if_idle()

    def abort(self) -> None:
        """Close everything at once."""
        for connection in list(self._connections):
            connection.abort()


class EdgeWorker(Worker):  # type: ignore[misc]  # gunicorn ships no types
    """The event loop in the main thread of a serving process."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._grace_s = float(self.cfg.graceful_timeout)
        self._memory = FreedMemory()

    def run(self) -> None:
        """Serve until the master says so."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        limits: EdgeLimits = self.app.limits
        workload = Workload(self.wsgi, limits, loop)
        edge = ServingEdge(workload, limits, self.app.count_refusal)
        loop.add_signal_handler(signal.SIGTERM, self._ask_to_stop, edge)
        for quick in (signal.SIGINT, signal.SIGQUIT):
            loop.add_signal_handler(quick, self._stop_quickly, edge)
        for listener in self.sockets:
            listener.setblocking(False)
            loop.add_reader(listener.fileno(), self._accept, listener, edge)
        while self.alive and not self._stop.is_set() and self.ppid == os.getppid():
            await self._beat(edge)
        edge.stopping = True
        for listener in self.sockets:
            loop.remove_reader(listener.fileno())
            # clients that the kernel has greeted already would be reset with the listening socket
            for _ in range(limits.connections):
                if self._accept_one(listener, edge) is not None:
                    break
            listener.close()
        await asyncio.sleep(min(_LAST_CALL_S, self._grace_s))
        edge.stop()
        until = monotonic() + self._grace_s
        while edge.busy and monotonic() < until:
            await asyncio.sleep(0.02)
            self._look(edge)
        edge.abort()
        workload.close()

    def _ask_to_stop(self, edge: ServingEdge) -> None:
        edge.stopping = True  # at once: an answer that is sent before the loop ends is a last one
        self._stop.set()

    def _stop_quickly(self, edge: ServingEdge) -> None:
        self._grace_s = 0.0
        self._ask_to_stop(edge)

    async def _beat(self, edge: ServingEdge) -> None:
        self._look(edge)
        try:
            await asyncio.wait_for(self._stop.wait(), _TICK_S)
        except TimeoutError:
            return

    def _look(self, edge: ServingEdge) -> None:
        self.notify()  # gunicorn kills a worker that is silent for too long
        edge.tick()
        self._take_turns(edge)
        self.app.show_load(edge)
        if self._memory.is_due(busy=edge.busy):
            asyncio.get_running_loop().run_in_executor(None, self._memory.give_back)

    def _take_turns(self, edge: ServingEdge) -> None:
        """Accept connections unless this process is not ready and another one is."""
        aside = self.app.leaves_connections()
        if aside == edge.aside or edge.stopping:
            return
        edge.aside = aside
        loop = asyncio.get_running_loop()
        for listener in self.sockets:
            if aside:
                loop.remove_reader(listener.fileno())
            else:
                loop.add_reader(listener.fileno(), self._accept, listener, edge)
        if aside:
            edge.close_idle()

    def _accept(self, listener: Any, edge: ServingEdge) -> None:
        """Accept one connection; the others are left to the other serving processes' turn."""
        self._take_turns(edge)
        if edge.aside:
            return
        error = self._accept_one(listener, edge)
        if error is None or error.errno not in _OUT_OF_DESCRIPTORS:
            return
        log.error("no further connection can be accepted: %s", error.strerror)
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener.fileno())
        loop.call_later(_PAUSE_S, self._accept_again, listener, edge)

    def _accept_again(self, listener: Any, edge: ServingEdge) -> None:
        if not edge.closing:
            loop = asyncio.get_running_loop()
            loop.add_reader(listener.fileno(), self._accept, listener, edge)

    def _accept_one(self, listener: Any, edge: ServingEdge) -> OSError | None:
        """Accept a connection; or why there is none."""
        try:
            client, _ = listener.accept()
        except OSError as error:
            return error
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        task = loop.create_task(loop.connect_accepted_socket(lambda: Connection(edge), client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return None
