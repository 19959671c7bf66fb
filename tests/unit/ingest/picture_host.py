"""A host of pictures on loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Answer", "Host"]

Answer = Callable[["Host", BaseHTTPRequestHandler], tuple[int, bytes, dict[str, str]]]


class Host:
    """A web server whose answers a test decides, and which notes what it was asked."""

    def __init__(self, answer: Answer) -> None:
        self.requests: list[dict[str, str]] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                with host._lock:
                    host._at_once += 1
                    host.most_at_once = max(host.most_at_once, host._at_once)
                    host.requests.append({"path": self.path, **dict(self.headers)})
                    status, body, headers = answer(host, self)
                time.sleep(0.01)
                with host._lock:
                    host._at_once -= 1
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
