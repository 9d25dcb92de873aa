"""Connect a project of a hosted forge: hook, badge and what is known of it; or take them away again.

Promises: doing it again repairs and changes nothing else; whatever is missing is said in plain words.
"""

from collections.abc import Iterator
from urllib.parse import quote

from reana_bridge.forges.base import ForgeRefused, ProjectFacts
from reana_bridge.forges.hosted import HostedForge
from reana_bridge.model.projects import Project
from reana_bridge.settings import ForgeSettings
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.hooking import ARRIVAL_SECONDS, Step, another_bridge, hook_steps, removed_hook
from reana_bridge.steps.known import remember_project
from reana_bridge.steps.reconciling.heads import remember
from reana_bridge.steps.reconciling.hooks import hooks_url
from reana_bridge.store.tables import ProjectRow
from reana_bridge.store.tokens import badge_key

BADGE = "reana-bridge"
"""The badge's name on the forge, by which it is found again."""


def connect(
    bridge: Bridge, forge: HostedForge, project: Project, *, rotate: bool, wait: float = ARRIVAL_SECONDS
) -> Iterator[Step]:
    """Make or repair all that the project needs to be heard and shown.

    Args:
        bridge: Settings, database, the server's key.
        forge: Where the project is.
        project: Which.
        rotate: Whether the hook gets a new secret.
        wait: Seconds that the test delivery may take to arrive.

    Yields:
        What was done, as soon as it is.

    Raises:
        ForgeRefused: There is no such project, or the token may not see it.
        ForgeError: The forge did not answer; all can be done again.
    """
    other = another_bridge(bridge.address, bridge.server_key)
    if other:
        yield Step(what="server", good=False, message=f"nothing was changed: {other}")
        return
    facts = forge.facts(project)
    yield _found(project, facts)
    if facts.path.casefold() != project.path.casefold():
        return
    row = _remember_project(bridge, project, facts)
    forge.remember(project, facts.id)
    yield _registration(bridge, project)
    for sentence in forge.rights(project):
        yield Step(what="token", good=False, message=sentence)
    entry = bridge.settings.forges[project.forge]
    if entry.app_id:
        yield _app(bridge, project, entry)
    else:
        yield from hook_steps(bridge, forge, project, facts, rotate=rotate, wait=wait)
    remember(bridge, forge, project)
    yield _badge(bridge, forge, project, row)


def disconnect(bridge: Bridge, forge: HostedForge, project: Project) -> Iterator[Step]:
    """Take hook and badge away; runs, results and the registration stay.

    Yields:
        What was done, as soon as it is.

    Raises:
        ForgeRefused: The token may not do it.
        ForgeError: The forge did not answer; it can be done again, and the hook is not trusted any more.
    """
    yield removed_hook(bridge, forge, project)
    forge.remove_badge(project, BADGE)
    yield Step(what="badge", message="removed")
    if bridge.settings.project(project) is not None:
        text = f"the settings still register {project}: it is still polled; take it out of [[projects]] too"
        yield Step(what="registration", message=text)


def badge_url(bridge: Bridge, project: ProjectRow) -> str:
    """The address of the project's badge, with its key unless the project is public here."""
    url = f"{bridge.address}/badges/{_address(project.name)}.svg"
    return url if project.public else f"{url}?key={badge_key(bridge.server_key, project)}"


def badge_markdown(bridge: Bridge, project: ProjectRow) -> str:
    """The badge as Markdown, linked to the project's page."""
    return f"[![reana]({badge_url(bridge, project)})]({bridge.address}/projects/{_address(project.name)})"


def _address(name: str) -> str:
    project = Project.parse(name)
    return f"{project.forge}/{quote(project.path)}"


def _found(project: Project, facts: ProjectFacts) -> Step:
    if facts.path.casefold() != project.path.casefold():
        new = f"{project.forge}:{facts.path}"
        text = f"{project} is called {new} now: register and connect it under that name"
        return Step(what="project", good=False, message=text)
    if facts.archived:
        text = f"{project} is archived: the forge takes no hook, status or note"
        return Step(what="project", good=False, message=text)
    kind = "private" if facts.private else "public"
    return Step(what="project", message=f"{project} is there ({kind} on the forge, id {facts.id})")


def _remember_project(bridge: Bridge, project: Project, facts: ProjectFacts) -> ProjectRow:
    rule = bridge.settings.project(project)
    with bridge.database.transaction() as session:
        remember_project(
            bridge,
            session,
            project,
            public=rule is not None and rule.public,
            seen_at=bridge.database.now(session),
            forge_id=facts.id,
            private=facts.private,
            default_branch=facts.default_branch,
        )
        return session.get_one(ProjectRow, str(project))


def _registration(bridge: Bridge, project: Project) -> Step:
    if bridge.settings.project(project) is not None:
        return Step(what="registration", message=f"the settings register {project}")
    example = f'[[projects]]\nmatch = "{project}"'
    text = f"no [[projects]] of the settings fits {project}, so all it sends is ignored; add:\n{example}"
    return Step(what="registration", good=False, message=text)


def _app(bridge: Bridge, project: Project, entry: ForgeSettings) -> Step:
    url = hooks_url(bridge, project.forge)
    if not entry.webhook_secrets:
        text = f"forges.{project.forge}.webhook_secrets is empty: put the secret of the App's webhook there"
        return Step(what="hook", good=False, message=text)
    return Step(what="hook", message=f"events come by the App's own webhook, whose URL has to be {url}")


def _badge(bridge: Bridge, forge: HostedForge, project: Project, row: ProjectRow) -> Step:
    link = f"{bridge.address}/projects/{_address(row.name)}"
    if bridge.settings.server.shadow:
        return Step(what="badge", message="left as it is, as this bridge only rehearses")
    try:
        installed = forge.install_badge(project, link, badge_url(bridge, row), BADGE)
    except ForgeRefused as refused:
        return Step(what="badge", good=False, message=f"the forge refuses to show it: {refused}")
    markdown = f"for a README: {badge_markdown(bridge, row)}"
    return Step(what="badge", message=f"shown on the project's page; {markdown}" if installed else markdown)
