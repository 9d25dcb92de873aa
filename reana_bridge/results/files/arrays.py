"""Compares NumPy files: shape, type, the largest difference and where. Never pickle.

The parts of an `.npz` are its arrays. Their headers are read first, so that one that unpacks to more than
`MAX_BYTES` is refused before it does. The format:
https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

import math
import zipfile
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from reana_bridge.model.comparisons import FileComparison, FilePart, FileVerdict, Measure
from reana_bridge.results.files.extent import Extent
from reana_bridge.results.files.many import take_in
from reana_bridge.results.files.pair import MAX_NAME, NotComparable, Pair, compared
from reana_bridge.results.files.tolerances import Tolerance
from reana_bridge.results.readers.clean import one_line

MAX_BYTES = 256 << 20
"""Of one array, unpacked."""
MAX_ARRAYS = 10_000
ALONE = "array"
_STEP = 1_000_000
_HEADERS: Any = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_MAGIC = b"\x93NUMPY"
_PICKLED = "needs pickle, which could run code: not comparable safely"


def compare(pair: Pair) -> FileComparison:
    """The comparison of two `.npy` or two `.npz` files.

    Raises:
        NotComparable: one is none, is damaged, unpacks to too much, or needs pickle.
    """
    with ExitStack() as stack:
        baseline = stack.enter_context(_opened(pair.baseline, "baseline"))
        head = stack.enter_context(_opened(pair.head, "head"))
        parts = [
            _part(name, baseline.get(name), head.get(name), tolerance)
            for name in dict.fromkeys([*head, *baseline])
            if (tolerance := pair.tolerances.of(name)) is not None
        ]
    if [part.name for part in parts] == [ALONE]:
        if parts[0].verdict is FileVerdict.NOT_COMPARABLE:
            raise NotComparable(parts[0].explanation)
        return compared(
            pair, parts, noun="array", explanation=parts[0].explanation, measures=parts[0].measures
        )
    return compared(pair, parts, noun="array", measures=(Measure(name="arrays", value=len(head)),))


@dataclass(frozen=True, kw_only=True)
class _Stored:
    """One array of a file, not read yet."""

    side: str
    opened: Callable[[], IO[bytes]]


@contextmanager
def _opened(path: Path, side: str) -> Generator[Mapping[str, _Stored]]:
    """The arrays of the file by their names; a `.npy` file has one, `array`."""
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
    if start == _MAGIC:
        yield {ALONE: _Stored(side=side, opened=lambda: path.open("rb"))}
        return
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise NotComparable(f"{side}: is no NumPy file: {one_line(str(error), 120)}") from None
    with archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        if len(members) > MAX_ARRAYS:
            raise NotComparable(f"{side}: has more than {MAX_ARRAYS:,} arrays")
        yield {
            info.filename.removesuffix(".npy"): _Stored(side=side, opened=partial(archive.open, info))
            for info in members
        }


def _read(stored: _Stored) -> Any:
    """The array.

    Raises:
        NotComparable: it is damaged, too large, or needs pickle.
    """
    try:
        with stored.opened() as stream:
            return _array(stream)
    except NotComparable as error:
        raise NotComparable(f"{stored.side}: {error}") from None
    except MemoryError:
        raise
    except Exception as error:  # of numpy, zipfile, zlib, lzma or bz2 over a damaged file
        raise NotComparable(f"{stored.side}: is damaged: {one_line(str(error), 120)}") from None


def _array(stream: IO[bytes]) -> Any:
    version = npy.read_magic(stream)
    if version not in _HEADERS:
        raise NotComparable(f"is written in the version {version[0]}.{version[1]} of the format")
    shape, fortran, kind = _HEADERS[version](stream)
    if kind.hasobject:
        raise NotComparable(_PICKLED)
    size = math.prod(shape) * kind.itemsize
    if size > MAX_BYTES:
        raise NotComparable(f"unpacks to {size:,} bytes, more than {MAX_BYTES:,}")
    content = stream.read(size)
    if len(content) < size:
        raise NotComparable(f"is damaged: ends after {len(content):,} of {size:,} bytes")
    return np.frombuffer(content, dtype=kind).reshape(shape, order="F" if fortran else "C")


def _part(name: str, before: _Stored | None, after: _Stored | None, tolerance: Tolerance) -> FilePart:
    part = FilePart(name=one_line(name, MAX_NAME), verdict=FileVerdict.DIFFERENT)
    if before is None or after is None:
        return replace(part, verdict=FileVerdict.MISSING if after is None else FileVerdict.NEW)
    try:
        old, new = _read(before), _read(after)
    except NotComparable as error:
        return replace(part, verdict=FileVerdict.NOT_COMPARABLE, explanation=str(error))
    if old.shape != new.shape:
        return replace(part, explanation=f"shape {_shape(old)}, now {_shape(new)}")
    if old.dtype.names != new.dtype.names or not _alike(old.dtype, new.dtype):
        return replace(part, explanation=f"type {old.dtype}, now {new.dtype}"[:MAX_NAME])
    extent = Extent()
    for field in old.dtype.names or ("",):
        _fields(extent, field, old[field] if field else old, new[field] if field else new, tolerance)
    found = extent.part(part.name)
    if old.dtype == new.dtype:
        return found
    # Another width or byte order of the same kind of numbers is told, and no difference by itself.
    words = "; ".join(filter(None, [f"type {old.dtype}, now {new.dtype}", found.explanation]))
    near = found.verdict is FileVerdict.IDENTICAL
    return replace(found, explanation=words, verdict=FileVerdict.WITHIN_TOLERANCE if near else found.verdict)


def _fields(extent: Extent, field: str, old: Any, new: Any, tolerance: Tolerance) -> None:
    where = f"{field}, element" if field else "element"
    before, after = np.ravel(old), np.ravel(new)
    for start in range(0, len(before), _STEP):
        piece = slice(start, start + _STEP)
        take_in(extent, before[piece], after[piece], tolerance, where=where, start=start)


def _alike(one: Any, other: Any) -> bool:
    """Whether two types hold the same kind of thing: both numbers, both texts, both times."""
    if one == other:
        return True
    return all(np.issubdtype(side, np.number) for side in (one, other)) or (
        one.kind == other.kind and one.names is None
    )


def _shape(array: Any) -> str:
    return " x ".join(map(str, array.shape)) or "a single value"
