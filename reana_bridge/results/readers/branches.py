"""Short ways into a tree: texts, numbers and lists under a key, or empty ones where there are none."""

from reana_bridge.results.readers.tree import Branch
from reana_bridge.results.readers.uncertainties import number_of


def keys(branch: Branch) -> set[str]:
    """The keys of a mapping, as they are written."""
    return {entry.key for entry in branch}


def text(branch: Branch, key: str) -> str:
    """The text or number under `key`, as a text; empty for none."""
    entry = branch.get(key)
    return str(entry.value) if entry and isinstance(entry.value, str | int | float) else ""


def number(branch: Branch, key: str) -> float | int | None:
    """The number under `key`."""
    entry = branch.get(key)
    return number_of(entry.value) if entry else None


def inner(branch: Branch, key: str) -> Branch:
    """The mapping or list under `key`; an empty one for none."""
    entry = branch.get(key)
    return entry.value if entry and isinstance(entry.value, Branch) else Branch()


def mappings(branch: Branch, key: str) -> list[Branch]:
    """The mappings in the list under `key`; what else is in it is passed over."""
    values = (entry.value for entry in inner(branch, key))
    return [value for value in values if isinstance(value, Branch) and not value.is_list]


def numbers(branch: Branch) -> list[float] | None:
    """A list of numbers; None where something in it is none."""
    found = [number_of(entry.value) for entry in branch]
    known = [value for value in found if value is not None]
    try:
        return [float(value) for value in known] if len(known) == len(found) else None
    except OverflowError:
        return None
