"""Start of a supervisor: `python -I -S PATH/TO/supervisor RUN_DIRECTORY`.

The first process forks, waits until the supervisor is in charge and leaves, so that the supervisor is
nobody's child and leaves no zombie. It ends with 1 when the supervisor could not take charge.
"""

import os
import sys

_PACKAGES = ("reana_bridge", "reana_bridge.backends", "reana_bridge.backends.local")


def _packages() -> None:
    """Make our modules importable without running the packages above them, which load far more."""
    place = os.path.dirname(os.path.abspath(__file__))
    for name in reversed(_PACKAGES):
        place = os.path.dirname(place)
        module = type(sys)(name)
        module.__path__ = [place]
        sys.modules[name] = module


def _start(directory: str) -> None:
    told, tell = os.pipe()
    if os.fork() != 0:
        os.close(tell)
        os._exit(0 if os.read(told, 1) else 1)
    os.close(told)
    _packages()
    from reana_bridge.backends.local.supervisor.main import main

    main(directory, tell)


if __name__ == "__main__":
    _start(sys.argv[1])
