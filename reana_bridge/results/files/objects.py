"""What is in a ROOT file, by uproot."""

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

import uproot

from reana_bridge.results.files.pair import NotComparable
from reana_bridge.results.readers.clean import one_line

MAX_OBJECTS = 2_000


@contextlib.contextmanager
def opened(path: Path) -> Generator[Any]:
    """The ROOT file at `path`.

    Raises:
        NotComparable: It is none, or is damaged.
    """
    try:
        open_root: Any = uproot.open  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        file: Any = open_root(path)
    except MemoryError:
        raise
    except Exception as error:  # uproot raises whatever a damaged file makes it stumble over
        raise NotComparable(f"is no ROOT file that can be read: {brief(error)}") from None
    with file:
        yield file


def objects(file: Any) -> dict[str, str]:
    """Name -> ROOT class of everything in an opened file, newest cycles only.

    Raises:
        NotComparable: It is damaged, or there are more than `MAX_OBJECTS`.
    """
    try:
        kinds: dict[str, str] = file.classnames(recursive=True, cycle=False)
    except MemoryError:
        raise
    except Exception as error:
        raise NotComparable(f"its directories cannot be read: {brief(error)}") from None
    named = {name: kind for name, kind in kinds.items() if not kind.startswith("TDirectory")}
    if len(named) > MAX_OBJECTS:
        raise NotComparable(f"has more than {MAX_OBJECTS:,} objects")
    return named


def brief(error: Exception) -> str:
    """An exception of a library in a few words."""
    return one_line(f"{type(error).__name__}: {error}", 120)
