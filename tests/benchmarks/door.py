"""The receiving half alone, without workers. `python -m tests.benchmarks.door CONFIG`."""

import sys
from pathlib import Path

from reana_bridge.cli.common import opened
from reana_bridge.settings import load
from reana_bridge.steps.runtime import Runtime
from reana_bridge.web.server import run_server

if __name__ == "__main__":
    settings = load(Path(sys.argv[1]))
    bridge = opened(settings, exclusive=True)
    sys.exit(run_server(bridge, Runtime(bridge, "web"), host="127.0.0.1", port=settings.server.port))
