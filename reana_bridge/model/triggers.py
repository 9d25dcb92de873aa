"""Whether one analysis runs for a push, a tag or a merge request, and why, in words."""

from collections.abc import Collection
from dataclasses import dataclass

from reana_bridge.model.analyses import Analysis, OnMergeRequest, OnPush
from reana_bridge.model.globs import matches
from reana_bridge.model.suggestions import shown
from webhooks.events import Change

MAX_CHANGED = 3000
MAX_CHANGED_LENGTH = 300_000

Changed = tuple[str, ...] | None


@dataclass(frozen=True)
class Answer:
    """Whether it runs, and one clause on why."""

    runs: bool
    reason: str


def known_changes(changed: Changed) -> Changed:
    """`changed`, or None (unknown) when it is too much to look through; then path rules keep no run back."""
    if changed is None or len(changed) > MAX_CHANGED or sum(map(len, changed)) > MAX_CHANGED_LENGTH:
        return None
    return changed


def answer_default_branch(analysis: Analysis, branch: str, changed: Changed) -> Answer:
    """What `analysis` says to a push to the default `branch`."""
    return _push(analysis.on.push, branch, changed, default_branch=branch)


def answer_branch(analysis: Analysis, branch: str, changed: Changed, *, default_branch: str) -> Answer:
    """What `analysis` says to a push to any other `branch` on a forge with merge requests of its own."""
    return _push(analysis.on.push, branch, changed, default_branch=default_branch)


def answer_proposal(analysis: Analysis, branch: str, changed: Changed, *, default_branch: str) -> Answer:
    """What `analysis` says to a push to `branch` where that is a proposal against the default branch.

    It runs once when either `on.merge-request` or `on.push` says so.
    """
    merge_request = _proposal(analysis.on.merge_request, branch, changed, default_branch)
    if merge_request.runs:
        return merge_request
    push = _push(analysis.on.push, branch, changed, default_branch=default_branch)
    if push.runs:
        return push
    if analysis.on.push is None or analysis.on.push.branches is None:
        return merge_request
    return Answer(False, f"{merge_request.reason}; and {push.reason}")


_NEW_COMMITS = frozenset({Change.OPENED, Change.REOPENED, Change.UPDATED})


def answer_merge_request(
    analysis: Analysis,
    changes: Collection[Change],
    *,
    title: str,
    target: str,
    labels: Collection[str],
    draft: bool,
    changed: Changed,
) -> Answer:
    """What `analysis` says to a change of an open merge request.

    Args:
        analysis: The analysis.
        changes: What happened to the merge request: new commits count for every analysis, labels, draft and
            target only for those whose triggers speak of them.
        title: What people call it, such as `!5`.
        target: Name of the branch that it is to be merged into.
        labels: What it carries now.
        draft: Whether it is marked as not ready.
        changed: Paths that it changes since its merge-base.
    """
    on = analysis.on.merge_request
    if on is None:
        return Answer(False, "it does not run on merge requests (no `on.merge-request`)")
    if not _asks_about(on, changes):
        what = ", ".join(sorted(changes)) or "nothing"
        return Answer(False, f"no new commits of {title} ({what}), and nothing else that it asks about")
    if not matches(target, on.branches):
        return Answer(False, f"target branch `{shown(target)}` does not match {_listed(on.branches)}")
    if draft and not on.drafts:
        return Answer(False, f"{title} is a draft, and it does not run on drafts")
    return (
        _labels(on, title, labels)
        or _paths(changed, on.paths, on.paths_ignore)
        or Answer(True, f"merge request {title} into `{shown(target)}`")
    )


def _asks_about(on: OnMergeRequest, changes: Collection[Change]) -> bool:
    if _NEW_COMMITS & set(changes):
        return True
    draft = Change.DRAFT in changes and not on.drafts
    return draft or (Change.LABELLED in changes and bool(on.labels)) or Change.RETARGETED in changes


def _labels(on: OnMergeRequest, title: str, labels: Collection[str]) -> Answer | None:
    """The label rules' objection; None when they have none."""
    wanted = [glob for glob in on.labels if not glob.startswith("!")]
    refused = [glob[1:] for glob in on.labels if glob.startswith("!")]
    unwanted = next((label for label in labels if any(matches(label, [glob]) for glob in refused)), None)
    if unwanted is not None:
        return Answer(
            False, f"{title} has the label `{shown(unwanted)}`, which {_listed(on.labels)} excludes"
        )
    if wanted and not any(matches(label, wanted) for label in labels):
        return Answer(False, f"{title} has none of the labels {_listed(tuple(wanted))}")
    return None


def answer_tag(analysis: Analysis, tag: str) -> Answer:
    """What `analysis` says to a new or moved `tag`."""
    globs = analysis.on.tags
    if globs is None:
        return Answer(False, "it does not run on tags (no `on.tag`)")
    if not matches(tag, globs):
        return Answer(False, f"tag `{shown(tag)}` does not match {_listed(globs)}")
    return Answer(True, f"tag `{shown(tag)}`")


def _push(on: OnPush | None, branch: str, changed: Changed, *, default_branch: str) -> Answer:
    if on is None:
        return Answer(False, "it does not run on pushes (no `on.push`)")
    if on.branches is None and branch != default_branch:
        return Answer(False, f"branch `{shown(branch)}` is not the default branch `{shown(default_branch)}`")
    if on.branches is not None and not matches(branch, on.branches):
        return Answer(False, f"branch `{shown(branch)}` does not match {_listed(on.branches)}")
    what = "the default branch" if branch == default_branch else "branch"
    return _paths(changed, on.paths, on.paths_ignore) or Answer(True, f"push to {what} `{shown(branch)}`")


def _proposal(on: OnMergeRequest | None, branch: str, changed: Changed, target: str) -> Answer:
    if on is None:
        return Answer(False, "it does not run on merge requests (no `on.merge-request`)")
    if not matches(target, on.branches):
        return Answer(False, f"target branch `{shown(target)}` does not match {_listed(on.branches)}")
    if any(not label.startswith("!") for label in on.labels):
        return Answer(False, f"it wants one of the labels {_listed(on.labels)}, and a pushed branch has none")
    reason = f"branch `{shown(branch)}` is a proposal for `{shown(target)}`"
    return _paths(changed, on.paths, on.paths_ignore) or Answer(True, reason)


def _paths(changed: Changed, paths: tuple[str, ...], ignored: tuple[str, ...]) -> Answer | None:
    """The path rules' objection; None when they have none."""
    if changed is None:
        return None
    if paths and not changed:
        return Answer(False, f"no file changed, and it wants changes in {_listed(paths)}")
    one = f"the only changed file `{shown(changed[0])}`" if len(changed) == 1 else ""
    if paths and not any(matches(path, paths) for path in changed):
        what = f"{one} does not match" if one else f"none of {len(changed)} changed files matches"
        return Answer(False, f"{what} paths {_listed(paths)}")
    if ignored and changed and all(matches(path, ignored) for path in changed):
        what = f"{one} matches" if one else f"all {len(changed)} changed files match"
        return Answer(False, f"{what} paths-ignore {_listed(ignored)}")
    return None


def _listed(globs: tuple[str, ...]) -> str:
    quoted = [f"`{shown(glob)}`" for glob in globs[:5]]
    return ", ".join(quoted) + (f" or {len(globs) - 5} more" if len(globs) > 5 else "")
