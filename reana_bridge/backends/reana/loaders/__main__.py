"""Read the order, load the workflow that it names, and write what came of it as JSON."""

import importlib
import json
import os
import sys
from typing import Any


def _main() -> int:
    with os.fdopen(int(sys.argv[1]), encoding="utf-8") as file:
        order: dict[str, Any] = json.load(file)
    result = int(sys.argv[2])
    os.set_inheritable(result, False)
    os.chdir(order["workspace"])
    loader = importlib.import_module(f"load_{order['type']}")
    try:
        loaded = loader.load(order)
    except Exception as problem:  # whatever an engine raises over a workflow is the workflow's mistake
        sys.stderr.write(f"{type(problem).__name__}: {problem}\n")
        return 1
    with os.fdopen(result, "w", encoding="utf-8") as file:
        # Some engines leave functions and paths in it.
        json.dump(loaded, file, default=str)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
