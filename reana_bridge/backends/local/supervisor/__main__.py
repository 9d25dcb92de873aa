"""Start of a supervisor: `python -I -S PATH/TO/supervisor RUN_DIRECTORY DESCRIPTOR`.

The first process forks and leaves at once, so that the supervisor is nobody's child and leaves no zombie.
The descriptor gets one byte as soon as a supervisor is in charge.
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


def _start(directory: str, tell: int) -> None:
    if os.fork() != 0:
        os._exit(0)
    os.set_inheritable(tell, False)
    _packages()
    from reana_bridge.backends.local.supervisor.main import main

    main(directory, tell)


if __name__ == "__main__":
    _start(sys.argv[1], int(sys.argv[2]))
