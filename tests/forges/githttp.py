"""A git server over http on loopback, with passwords and an LFS batch API, that notes who asked for what."""

import base64
import gzip
import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class GitHttp:
    """`private` are the groups (first path parts) that ask for `user:password`; `answers` force a status."""

    root: Path
    private: set[str] = field(default_factory=set)
    password: str = "robot:s3cret"
    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    lfs: dict[str, bytes] = field(default_factory=dict)
    lfs_href: str = ""

    @property
    def requests(self) -> list[str]:
        return [path for path, _ in self.asked]

    def authorization(self) -> str:
        return "Basic " + base64.b64encode(self.password.encode()).decode()


@contextmanager
def serve(root: Path) -> Iterator[GitHttp]:
    state = GitHttp(root)

    class Handler(_Handler):
        server_state = state

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_state: GitHttp
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            content = b""
            while size := int(self.rfile.readline(), 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        self._serve(content)

    def _serve(self, content: bytes) -> None:
        state, (path, _, query) = self.server_state, self.path.partition("?")
        state.asked.append((self.path, self.headers.get("Authorization", "")))
        for start, (status, headers) in state.answers.items():
            if path.startswith(start):
                return self._answer(status, headers, b"")
        if (oid := path.rpartition("/lfs-content/")[2]) != path:
            return self._answer(200, {}, state.lfs[oid])
        if path[1:].split("/")[0] in state.private and (
            self.headers.get("Authorization") != state.authorization()
        ):
            return self._answer(401, {"WWW-Authenticate": 'Basic realm="x"'}, b"")
        if path.endswith("/info/lfs/objects/batch"):
            return self._batch(json.loads(content))
        return self._git(path, query, content)

    def _batch(self, asked: dict[str, Any]) -> None:
        state, oid = self.server_state, asked["objects"][0]["oid"]
        entry: dict[str, Any] = {"oid": oid, "size": asked["objects"][0]["size"]}
        if oid in state.lfs:
            href = (state.lfs_href or f"{state.url}/lfs-content/") + oid
            entry["actions"] = {"download": {"href": href, "header": {"X-Ticket": "t"}}}
        else:
            entry["error"] = {"code": 404, "message": "Object does not exist"}
        self._answer(200, {}, json.dumps({"transfer": "basic", "objects": [entry]}).encode())

    def _git(self, path: str, query: str, content: bytes) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.server_state.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(content)),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "uploadpack.allowAnySHA1InWant",
            "GIT_CONFIG_VALUE_0": "true",
            "GIT_CONFIG_KEY_1": "safe.directory",
            "GIT_CONFIG_VALUE_1": "*",
        }
        done = subprocess.run(["git", "http-backend"], env=environment, input=content, capture_output=True)
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        status = int((re.match(r"\d+", headers.pop("Status", "200")) or [200])[0])
        self._answer(status, headers, body)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None: ...
