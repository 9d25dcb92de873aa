"""What happens on a fake GitHub: pushes, pull requests, comments; each with the hooks that it fires.

Every function is called with the world's lock held and with arguments that were checked.
"""

from collections.abc import Mapping
from typing import Any

from reana_bridge.testing.github.bodies import Bodies
from reana_bridge.testing.github.things import ZERO, Comment, Project, Pull, User
from reana_bridge.testing.github.world import World


def pushed(
    world: World,
    bodies: Bodies,
    project: Project,
    before: Mapping[str, str],
    after: Mapping[str, str],
    by: User,
) -> None:
    """Tell of every branch and tag that moved, and of the pull requests that moved with them."""
    for ref in sorted(before.keys() | after.keys()):
        old, new = before.get(ref, ZERO), after.get(ref, ZERO)
        if old == new or not ref.startswith(("refs/heads/", "refs/tags/")):
            continue
        body = bodies.pushed(project, ref, old, new, by)
        world.fire(project, "push", lambda body=body: dict(body))
        for target, pull in world.pulls_of(project, ref.removeprefix("refs/heads/")):
            if new == ZERO:
                close(world, bodies, target, pull, by)
            else:
                move_head(world, bodies, target, pull, new, by)


def move_head(world: World, bodies: Bodies, target: Project, pull: Pull, sha: str, by: User) -> None:
    """The pull request's branch got new commits."""
    old, pull.sha = pull.sha, sha
    if pull.source is not None:
        target.repository.bring(pull.source.repository, sha, f"refs/pull/{pull.number}/head")
    pull_changed(world, bodies, target, pull, by, "synchronize", before=old, after=sha)


def pull_changed(
    world: World, bodies: Bodies, project: Project, pull: Pull, by: User, action: str, **more: Any
) -> None:
    """Tell that something happened to a pull request."""

    def build() -> dict[str, Any]:
        described = {"action": action, "number": pull.number, "pull_request": bodies.pull(project, pull)}
        return bodies.about(project, by, **described, **more)

    world.fire(project, "pull_request", build)


def close(
    world: World, bodies: Bodies, project: Project, pull: Pull, by: User, *, merged: bool = False
) -> None:
    """Close a pull request, as merged or not."""
    pull.state, pull.merged = "closed", merged
    pull_changed(world, bodies, project, pull, by, "closed")


def comment(world: World, bodies: Bodies, project: Project, pull: Pull, author: User, text: str) -> Comment:
    """Write a comment."""
    now = world.clock()
    made = Comment(id=world.new_id(), author=author, body=text, created_at=now, updated_at=now)
    pull.comments[made.id] = made
    _commented(world, bodies, project, pull, made, author, "created")
    return made


def edit_comment(
    world: World, bodies: Bodies, project: Project, pull: Pull, of: Comment, by: User, text: str
) -> None:
    """Change a comment."""
    old, of.body, of.updated_at = of.body, text, world.clock()
    _commented(world, bodies, project, pull, of, by, "edited", changes={"body": {"from": old}})


def delete_comment(world: World, bodies: Bodies, project: Project, pull: Pull, of: Comment, by: User) -> None:
    """Take a comment away."""
    del pull.comments[of.id]
    _commented(world, bodies, project, pull, of, by, "deleted")


def _commented(
    world: World,
    bodies: Bodies,
    project: Project,
    pull: Pull,
    of: Comment,
    by: User,
    action: str,
    **more: Any,
) -> None:
    def build() -> dict[str, Any]:
        described = {"issue": bodies.issue(project, pull), "comment": bodies.comment(project, pull, of)}
        return bodies.about(project, by, action=action, **described, **more)

    world.fire(project, "issue_comment", build)
