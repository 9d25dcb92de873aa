"""Reads ROOT files: histograms, trees and parameters; runs in the isolated process.

Of a histogram: `entries`, `integral` with sqrt(sum of the bins' variances), and for one axis `mean` with
std / sqrt(effective entries) and `std`. They are computed from the bins between the edges, without under- and
overflow, so they also are the same for files that ROOT itself did not write. Of a tree: its `entries`.
"""

import math
from pathlib import Path
from typing import Any, cast

import numpy as np
import uproot

from reana_bridge.model.readings import Reading
from reana_bridge.results.readers.clean import one_line
from reana_bridge.results.readers.gathering import MAX_DESCRIPTION, MAX_UNIT, Gathering, unusable

MAX_OBJECTS = 2_000
_HISTOGRAMS = ("TH1", "TH2", "TH3")
_TREES = ("TTree", "TNtuple", "TNtupleD", "ROOT::RNTuple", "ROOT::Experimental::RNTuple")
_PARAMETER = "TParameter<"


def read(path: Path, *, source: str) -> Reading:
    """The metrics of the objects in the file at `path`; `source` is its path in the workspace."""
    found = Gathering(source)
    try:
        with cast("Any", uproot).open(path) as file:
            size, end = path.stat().st_size, int(file.file.fEND)
            if size < end:
                found.complain("*", f"is cut off: {size} of its {end} bytes are there")
            classes: dict[str, str] = file.classnames(recursive=True, cycle=False)
            for name in list(classes)[:MAX_OBJECTS]:
                _object(file, name, classes[name], found)
            if len(classes) > MAX_OBJECTS:
                found.complain("*", f"are more than {MAX_OBJECTS:,} objects; the others were left out")
    except MemoryError:
        raise
    except Exception as error:  # damaged files make the library fail in any way
        return unusable(source, f"is no ROOT file that can be read: {_said(error)}")
    reading = found.reading()
    if not reading.metrics and not reading.unreadable:
        return unusable(source, "holds no histogram, no tree and no parameter")
    return reading


def _object(file: Any, name: str, kind: str, found: Gathering) -> None:
    try:
        if kind.startswith(_HISTOGRAMS):
            _histogram(name.replace("/", "."), file[name], found)
        elif kind in _TREES:
            found.add(f"{name.replace('/', '.')}.entries", int(file[name].num_entries))
        elif kind.startswith(_PARAMETER):
            found.add(name.replace("/", "."), file[name].member("fVal"))
    except MemoryError:
        raise
    except Exception as error:  # as above, for one object of a file
        found.complain(name, f"cannot be read: {_said(error)}")


def _said(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return one_line(f"{type(error).__name__}: {lines[0] if lines else ''}", 200)


def _histogram(name: str, histogram: Any, found: Gathering) -> None:
    values = np.asarray(histogram.values(), dtype=float)
    variances = np.asarray(histogram.variances(), dtype=float)
    total, size = float(values.sum()), math.sqrt(max(0.0, float(variances.sum())))
    title = one_line(str(histogram.title or ""), MAX_DESCRIPTION)
    found.add(f"{name}.entries", float(histogram.member("fEntries")), description=title)
    uncertainty = size if math.isfinite(size) else None
    found.add(f"{name}.integral", total, uncertainty=uncertainty, description=title)
    if values.ndim == 1 and total > 0 and size > 0:
        _moments(name, histogram, values, effective=total**2 / size**2, found=found)


def _moments(
    name: str, histogram: Any, values: "np.ndarray[Any, Any]", *, effective: float, found: Gathering
) -> None:
    centres = np.asarray(histogram.axis().centers(), dtype=float)
    mean = float(np.average(centres, weights=values))
    variance = float(np.average((centres - mean) ** 2, weights=values))
    if variance >= 0:
        unit = _unit(str(histogram.axis().member("fTitle") or ""))
        deviation = math.sqrt(variance)
        found.add(f"{name}.mean", mean, uncertainty=deviation / math.sqrt(effective), unit=unit)
        found.add(f"{name}.std", deviation, unit=unit)


def _unit(title: str) -> str:
    """The unit in an axis' title, `m [GeV]`; empty for none."""
    _, bracket, after = title.rpartition("[")
    return one_line(after.rstrip()[:-1], MAX_UNIT) if bracket and after.rstrip().endswith("]") else ""
