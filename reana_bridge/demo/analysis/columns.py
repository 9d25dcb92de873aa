"""Tables of events: named columns of equal length in one file."""

from pathlib import Path

import numpy as np

DATA, SIGNAL, BACKGROUND = 0, 1, 2
"""The samples, as written in the column `sample`."""


def write(path, columns):
    """Write `columns` (name -> array) to `path`."""
    table = np.empty(
        len(next(iter(columns.values()))), [(name, array.dtype) for name, array in columns.items()]
    )
    for name, array in columns.items():
        table[name] = array
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    np.save(path, table)


def read(path):
    """The columns of the table at `path`: name -> array."""
    table = np.load(path)
    return {name: table[name] for name in table.dtype.names}
