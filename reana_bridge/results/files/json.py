"""Compares JSON documents; two that are pyhf workspaces are compared as such."""

from reana_bridge.model.comparisons import FileComparison
from reana_bridge.results.files.documents import compare_trees
from reana_bridge.results.files.pair import Pair
from reana_bridge.results.files.pyhf import compare_workspaces, is_workspace
from reana_bridge.results.files.trees import json_tree


def compare(pair: Pair) -> FileComparison:
    """The comparison of two JSON documents.

    Raises:
        NotComparable: one is no JSON, or too large.
    """
    baseline, head = json_tree(pair.baseline, "baseline"), json_tree(pair.head, "head")
    if is_workspace(baseline) and is_workspace(head):
        return compare_workspaces(pair, baseline, head)
    return compare_trees(pair, baseline, head)
