"""An application behind the service's own edge, in a thread of the test's process."""

from __future__ import annotations

import asyncio
import socket
import threading

from service.edge.calls import WsgiApp
from service.edge.connection import Connection
from service.edge.limits import EdgeLimits
from service.edge.worker import ServingEdge
from service.edge.workload import Workload

__all__ = ["EdgeServer"]

PATIENCE_S = 240


class EdgeServer:
    """Answers on a listening socket, of TCP or Unix, until it is closed."""

    edge: ServingEdge

    def __init__(self, application: WsgiApp, limits: EdgeLimits, listening: socket.socket) -> None:
        self.refused: list[str] = []
        self._begun = threading.Event()
        serving = self._serve(application, limits, listening)
        self._thread = threading.Thread(target=asyncio.run, args=(serving,), daemon=True)
        self._thread.start()
        assert self._begun.wait(PATIENCE_S)

    def abort_connections(self) -> None:
        """End every connection at once, as the death of a process does."""
        self._loop.call_soon_threadsafe(self.edge.abort)

    def close(self) -> None:
        """End the server and every connection."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_S)

    async def _serve(
        self, application: WsgiApp, limits: EdgeLimits, listening: socket.socket
    ) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        workload = Workload(application, limits, self._loop)
        edge = self.edge = ServingEdge(workload, limits, self.refused.append)
        is_unix = listening.family == socket.AF_UNIX
        create = self._loop.create_unix_server if is_unix else self._loop.create_server
        server = await create(lambda: Connection(edge), sock=listening)
        self._begun.set()
        while not self._stop.is_set():
            edge.tick()
            await asyncio.sleep(0.02)
        server.close()
        for _ in range(3):  # a connection that was just accepted is only now made
            await asyncio.sleep(0)
        while edge.connections:
            edge.abort()
            await asyncio.sleep(0)
        workload.close()
