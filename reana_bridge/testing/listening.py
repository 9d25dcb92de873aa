"""Runs an ASGI application under uvicorn in a thread of this process, on a port that stays its own."""

import asyncio
import contextlib
import socket
import threading
import time
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

TRANSPORT = "reana_bridge.transport"
"""Where the connection's transport stands in the scope, so that the application can cut it."""

HOST = "127.0.0.1"
_START_SECONDS = 20.0


class _Protocol(HttpToolsProtocol):
    """As uvicorn's, and the application can cut the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: Any = self.scope
        scope[TRANSPORT] = self.transport


class _Server(uvicorn.Server):
    """As uvicorn's, and when it is away no connection is open any more."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        # One that came while the others were closed would stay open, with nobody to read it.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)


def _socket(port: int) -> socket.socket:
    # With the protocol named, asyncio switches Nagle off; else every answer would wait 40 ms for an ACK.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((HOST, port))
    return made


class Listener:
    """A server that can be stopped and started again at the same address.

    Args:
        app: What answers.
        date_header: Whether answers get the time of now; otherwise `app` says what time it is.
    """

    def __init__(self, app: Any, *, date_header: bool = True) -> None:
        self._app = app
        self._date_header = date_header
        # Bound and not listening: nobody else gets the port while the server is away, and nobody is answered.
        self._reserved = _socket(0)
        self._port: int = self._reserved.getsockname()[1]
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{HOST}:{self._port}"

    def start(self) -> None:
        """Answer requests from now on; nothing where it does already.

        Raises:
            TimeoutError: It did not begin.
        """
        if self._thread is not None:
            return
        config = uvicorn.Config(
            self._app,
            http=_Protocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            date_header=self._date_header,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._run, args=(self._server,), daemon=True)
        self._thread.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise TimeoutError(f"the fake did not start to listen at {self.url}")
            time.sleep(0.005)

    def _run(self, server: uvicorn.Server) -> None:
        with contextlib.closing(_socket(self._port)) as listening:
            listening.listen(1024)
            server.run(sockets=[listening])

    def stop(self) -> None:
        """Close all connections and refuse new ones."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(_START_SECONDS)
        self._server = self._thread = None

    def close(self) -> None:
        """Give the port back."""
        self.stop()
        self._reserved.close()
