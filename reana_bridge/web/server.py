"""Runs the app under uvicorn, on a socket that is bound before anything is started."""

import socket
import sys

import structlog
import uvicorn

from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.runtime import Runtime
from reana_bridge.web.app import make_app

_log = structlog.get_logger()


def run_server(bridge: Bridge, runtime: Runtime, *, host: str, port: int, takes_webhooks: bool = True) -> int:
    """Serve until a signal; the exit status.

    Args:
        bridge: What is served.
        runtime: Started before the first request and stopped after the last.
        host: To listen on.
        port: To listen on; 0 takes a free one.
        takes_webhooks: Whether deliveries are taken and pages shown; a worker only says how it is.
    """
    try:
        listening = socket.create_server((host, port), backlog=2048)
    except OSError as error:
        sys.stderr.write(f"reana-bridge: cannot listen on {host}:{port}: {error.strerror or error}\n")
        bridge.close()
        return 2
    config = uvicorn.Config(
        make_app(bridge, runtime=runtime, takes_webhooks=takes_webhooks),
        access_log=False,
        log_config=None,
        lifespan="on",
        timeout_graceful_shutdown=int(bridge.settings.server.drain_seconds),
        server_header=False,
    )
    _log.info("serve.listening", url=f"http://{host}:{listening.getsockname()[1]}")
    server = uvicorn.Server(config)
    with listening:
        server.run(sockets=[listening])
    bridge.close()
    return 0 if server.started else 2
