"""Compares YAML files, HEPData's among them: all documents in one, aliases put in, no objects."""

from reana_bridge.model.comparisons import FileComparison
from reana_bridge.results.files.documents import compare_trees
from reana_bridge.results.files.pair import Pair
from reana_bridge.results.files.trees import yaml_tree


def compare(pair: Pair) -> FileComparison:
    """The comparison of two YAML files.

    Raises:
        NotComparable: one is no YAML, or too large.
    """
    return compare_trees(pair, yaml_tree(pair.baseline, "baseline"), yaml_tree(pair.head, "head"))
