"""An HTTP server on loopback that gives the answers that a test wrote down, and notes what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

API = "/api/v4"


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False  # close the connection instead of answering


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class Scripted:
    """Answers by `METHOD path`; the last one of a list stays."""

    url: str = ""
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def on(self, request: str, *answers: Any) -> None:
        self.answers[request] = [each if isinstance(each, Answer) else Answer(200, each) for each in answers]

    @property
    def requests(self) -> list[str]:
        return [str(each) for each in self.asked]

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        given = self.answers.get(str(asked))
        if not given:
            return Answer(404, {"message": "404 Not Found"})
        return given.pop(0) if len(given) > 1 else given[0]


@contextmanager
def serve() -> Iterator[Scripted]:
    script = Scripted()

    class Handler(_Handler):
        scripted = script

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    script.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    scripted: Scripted
    protocol_version = "HTTP/1.1"

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        is_json = self.headers.get("Content-Type") == "application/json"
        answer = self.scripted.answer(
            Asked(
                self.command,
                parts.path.removeprefix(API),
                dict(parse_qsl(parts.query)),
                json.loads(content) if content and is_json else content,
                {name.lower(): value for name, value in self.headers.items()},
            )
        )
        if answer.cut:
            self.close_connection = True
            self.connection.shutdown(2)
            return
        raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        raw = b"" if answer.status in {204, 304} else raw
        self.send_response(answer.status)
        for name, value in ({"Content-Type": "application/json"} | answer.headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def log_message(self, format: str, *arguments: object) -> None: ...
