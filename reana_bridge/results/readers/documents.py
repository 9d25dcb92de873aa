"""JSON documents of known kinds, told by their keys, which a plain walk over numbers would misread."""

from collections.abc import Callable

from reana_bridge.results.readers import lsst, pyhf
from reana_bridge.results.readers.gathering import Gathering
from reana_bridge.results.readers.tree import Branch, Tree


def known(tree: Tree) -> Callable[[Branch, Gathering], None] | None:
    """What reads a document of this kind; None for one of no kind."""
    if not isinstance(tree, Branch) or tree.is_list:
        return None
    for kind in (lsst, pyhf):
        if kind.recognises(tree):
            return kind.gather
    return None
