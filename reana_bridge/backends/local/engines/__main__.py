"""Read the order, run the engine that it names, and leave with the engine's exit status."""

import importlib
import json
import os
import sys

import reporting


def _main() -> int:
    with os.fdopen(int(sys.argv[1]), encoding="utf-8") as file:
        order = json.load(file)
    reporting.to(int(sys.argv[2]))
    os.chdir(order["workspace"])
    # Jobs find this very interpreter neither through PYTHON variables nor on PATH: it is the engine's own.
    driver = importlib.import_module(f"run_{order['type']}")
    status = int(driver.run(order))
    if status == 0 and order["type"] != "snakemake":
        reporting.place_outputs(order)
    return status


if __name__ == "__main__":
    sys.exit(_main())
