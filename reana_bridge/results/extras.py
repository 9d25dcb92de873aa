"""Which extra of this package brings a library that is imported only where it is needed."""

from collections.abc import Mapping
from types import MappingProxyType

_EXTRAS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("uproot", "awkward", "hist"), "root"),
        **dict.fromkeys(("matplotlib", "numpy", "PIL", "pypdfium2", "resvg_py"), "plots"),
    }
)


def extra_of(error: ImportError) -> str:
    """The extra that would bring what could not be imported; empty where none of ours does."""
    return _EXTRAS.get((error.name or "").partition(".")[0], "")
