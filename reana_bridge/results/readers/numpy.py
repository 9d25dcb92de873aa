"""Reads NumPy's arrays, `.npy` and `.npz`, never with pickle; runs in the isolated process.

A single number is a metric by its name in the archive, or by the file's. Of an array its `mean`, `std`,
`min`, `max` and `size` are, and `nan`, the number of entries that are none, where there are some.
"""

import zipfile
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np

from reana_bridge.model.readings import Reading
from reana_bridge.results.readers.gathering import Gathering, unusable

MAX_ARRAYS = 1_000
_MAGIC = b"\x93NUMPY"


def read(path: Path, *, source: str) -> Reading:
    """The metrics of the arrays at `path`; `source` is its path in the workspace."""
    found = Gathering(source)
    with path.open("rb") as file:
        magic = file.read(len(_MAGIC))
        file.seek(0)
        if magic == _MAGIC:
            _member(PurePosixPath(source).stem, file, found)
        elif magic.startswith(b"PK"):
            try:
                _archive(file, found)
            except (zipfile.BadZipFile, NotImplementedError) as error:
                return unusable(source, f"is no archive of arrays: {error}")
        else:
            return unusable(source, "is no array of NumPy")
    return found.reading()


def _archive(file: IO[bytes], found: Gathering) -> None:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        for member in members[:MAX_ARRAYS]:
            name = member.filename.removesuffix(".npy")
            try:
                with archive.open(member) as content:
                    _member(name, content, found)
            except (zipfile.BadZipFile, RuntimeError, EOFError, OSError) as error:
                found.complain(name, f"is damaged: {error}")
        if len(members) > MAX_ARRAYS:
            found.complain("*", f"are more than {MAX_ARRAYS:,} arrays; the others were left out")


def _member(name: str, file: Any, found: Gathering) -> None:
    try:
        array = np.lib.format.read_array(file, allow_pickle=False, max_header_size=10_000)
    except ValueError as error:
        pickled = "allow_pickle" in str(error) or "Object arrays" in str(error)
        reason = "holds Python objects, which are never loaded" if pickled else f"is no array: {error}"
        found.complain(name, " ".join(reason.split())[:300])
        return
    except MemoryError:
        found.complain(name, "is larger than the memory that it may use")
        return
    if array.dtype.names or array.dtype.kind not in "biufc":
        found.complain(name, f"is an array of {array.dtype}, not of numbers")
    elif array.dtype.kind == "c":
        found.complain(name, "is an array of complex numbers; save real ones")
    elif array.size == 1:
        found.add(name, array.reshape(()).item())
    else:
        _summary(name, array, found)


def _summary(name: str, array: "np.ndarray[Any, np.dtype[Any]]", found: Gathering) -> None:
    numbers = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    if numbers.size:
        with np.errstate(over="ignore", invalid="ignore"):
            found.add(f"{name}.mean", float(numbers.mean(dtype=float)))
            found.add(f"{name}.std", float(numbers.std(dtype=float)))
        found.add(f"{name}.min", numbers.min().item())
        found.add(f"{name}.max", numbers.max().item())
    found.add(f"{name}.size", int(array.size))
    if numbers.size < array.size:
        found.add(f"{name}.nan", int(array.size - numbers.size))
