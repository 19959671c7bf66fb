"""Serves a stand-in model as `vitrine embedder` serves a real one; a process of its own.

Arguments: none, `--socket PATH`, or those with which a service starts its embedder.
"""

from __future__ import annotations

import socket
import sys
from functools import partial
from pathlib import Path

from service.embedding.serving import EmbedderServer
from service.embedding.unix_socket import listen_at
from service.serving import run
from tests.unit.service.test_embedder import Model
from vitrine.settings import load_settings
from vitrine.wiring import Vitrine

if __name__ == "__main__":
    vitrine = Vitrine(load_settings(workers=1, embedder_url=""), embedder=lambda _: Model())
    if len(sys.argv) == 1:
        run(vitrine, EmbedderServer)
    elif sys.argv[1] == "--socket":
        run(vitrine, EmbedderServer, listening=listen_at(Path(sys.argv[2])))
    else:
        threads, _, listening, alive = sys.argv[2:]
        server = partial(EmbedderServer, alive=int(alive))
        run(vitrine, server, listening=socket.socket(fileno=int(listening)))
