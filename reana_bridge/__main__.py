"""`reana-bridge`, and `python -m reana_bridge`: the way in."""

import gc

# While thousands of classes are made, looking for garbage among them would take two thirds of the start.
gc.disable()

from reana_bridge.cli.main import main  # noqa: E402


def start() -> None:
    """Run the command that the arguments name."""
    gc.freeze()
    gc.enable()
    main()


if __name__ == "__main__":
    start()
