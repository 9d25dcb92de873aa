"""Something that webhooks are sent to: remembers what came, answers as it is told."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Received:
    headers: dict[str, str]
    raw: bytes

    @property
    def event(self) -> str:
        return self.headers["x-gitlab-event"]

    @property
    def body(self) -> dict[str, Any]:
        return json.loads(self.raw)

    @property
    def action(self) -> str:
        return self.body.get("object_attributes", {}).get("action", "")


class Receiver:
    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[], int] = lambda: 202
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append(Received(headers=headers, raw=raw))
                self.send_response(receiver.answer())
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/webhooks/gitlab"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
