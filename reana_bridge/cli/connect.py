"""`reana-bridge connect`: let a repository tell the bridge of what happens in it."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reana_bridge.cli.common import ConfigOption, Failure, JsonOption, bridge_of, print_json, settings_of

if TYPE_CHECKING:
    from reana_bridge.settings import ForgeSettings, Settings

EXAMPLE = '[forges.local]\nkind = "git"\nroot = "{root}"\nwebhook_secrets = ["..."]'


def command(
    repository: Annotated[
        str, typer.Argument(help="FORGE:GROUP/NAME, or the bare repository that people push to.")
    ],
    remove: Annotated[bool, typer.Option("--remove", help="Take hook and badge away again.")] = False,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Give the hook a new secret; the old one is good for an hour.")
    ] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Make or repair all by which a project tells the bridge of pushes, and shows what came of them.

    On GitLab and GitHub: a hook with a secret of its own, a badge, and a test delivery; run it as the user
    that the server runs as. For a bare repository: its hook. Says what is missing.

    Example: `reana-bridge connect gitlab-cern:group/name`, `reana-bridge connect /srv/git/group/name.git`
    """
    settings = settings_of(config)
    forge, colon, path = repository.partition(":")
    if colon and forge not in settings.forges and not Path(repository).exists():
        known = ", ".join(settings.forges) or "none"
        raise Failure(f"there is no forge {forge!r} in the settings (there is {known})")
    if not colon or forge not in settings.forges:
        _connect_git(settings, Path(repository), remove=remove, rotate=rotate, json=json)
    elif (root := settings.forges[forge].root) is not None and settings.forges[forge].kind == "git":
        place = root / f"{path.removesuffix('.git')}.git"
        _connect_git(settings, place, remove=remove, rotate=rotate, json=json)
    else:
        _connect_hosted(config, repository, remove=remove, rotate=rotate, json=json)


def _connect_hosted(config: Path | None, name: str, *, remove: bool, rotate: bool, json: bool) -> None:
    from reana_bridge.forges.base import ForgeError, ForgeRefused
    from reana_bridge.forges.hosted import is_hosted
    from reana_bridge.model.projects import Project
    from reana_bridge.steps.connecting import connect, disconnect
    from reana_bridge.steps.hooking import Step

    try:
        project = Project.parse(name)
    except ValueError as error:
        raise Failure(str(error)) from None
    steps: list[Step] = []
    with bridge_of(config) as bridge:
        forge = bridge.forges[project.forge]
        if not is_hosted(forge):
            raise Failure(
                f"the forge {project.forge} ({forge.kind}) has no hooks that could be made from here"
            )
        if not bridge.settings.server.public_url:
            raise Failure("server.public_url is empty, so the forge would not know where to send deliveries")
        try:
            done = disconnect(bridge, forge, project) if remove else None
            for step in done or connect(bridge, forge, project, rotate=rotate):
                steps.append(step)
                if not json:
                    typer.echo(f"{'ok   ' if step.good else 'wrong'}  {step.what}: {step.message}")
        except ForgeRefused as refused:
            raise Failure(f"{project}: {refused}") from None
        except ForgeError as error:
            raise Failure(f"{project.forge} did not do it ({error}); run the same command again") from None
    if json:
        shown = [{"what": s.what, "good": s.good, "message": s.message} for s in steps]
        print_json({"project": str(project), "steps": shown})
    if not all(step.good for step in steps):
        raise typer.Exit(1)


def _connect_git(settings: "Settings", repository: Path, *, remove: bool, rotate: bool, json: bool) -> None:
    from reana_bridge.forges import git_hook

    forge, entry, project = _place(settings, repository.resolve())
    if rotate:
        raise Failure(
            f"the secret of these hooks is the first of forges.{forge}.webhook_secrets: put a new one before "
            "it, restart the server, and connect again"
        )
    try:
        if remove:
            messages = git_hook.remove(repository)
        else:
            if not entry.webhook_secrets:
                raise Failure(
                    f"forges.{forge}.webhook_secrets is empty, so every hook would be refused: set one, "
                    'such as the output of `python3 -c "import secrets; print(secrets.token_urlsafe(32))"`'
                )
            secret = entry.webhook_secrets[0].get_secret_value()
            url = f"{settings.server.public_url.rstrip('/')}/webhooks/{forge}"
            messages = git_hook.install(repository, url=url, project=project, secret=secret)
            messages += [_registration(settings, f"{forge}:{project}"), _ping(url, project, secret)]
    except git_hook.HookRefused as refused:
        raise Failure(str(refused)) from None
    if json:
        print_json({"project": f"{forge}:{project}", "messages": messages})
    else:
        for message in messages:
            typer.echo(message)


def _place(settings: "Settings", repository: Path) -> tuple[str, "ForgeSettings", str]:
    """The forge below whose root the repository lies, and its path there."""
    if not repository.is_dir():
        raise Failure(f"there is no directory {repository}")
    for name, entry in settings.forges.items():
        if entry.kind == "git" and entry.root and repository.is_relative_to(entry.root.resolve()):
            path = str(repository.relative_to(entry.root.resolve()))
            return name, entry, path.removesuffix(".git")
    example = EXAMPLE.format(root=repository.parent)
    raise Failure(
        f"{repository} lies below the root of no git forge in the settings; for example:\n{example}"
    )


def _registration(settings: "Settings", project: str) -> str:
    from reana_bridge.model.projects import Project

    if settings.project(Project.parse(project)) is None:
        example = f'[[projects]]\nmatch = "{project}"'
        return f"{project} is not registered, its pushes will be ignored. Add to the settings:\n{example}"
    return f"{project} is registered"


def _ping(url: str, project: str, secret: str) -> str:
    import httpx

    from reana_bridge.store.ids import new_id
    from webhooks import git, signatures
    from webhooks.events import Ping

    body = git.body(Ping(project=project))
    delivery, now = f"ping-{new_id()}", int(time.time())
    headers = signatures.signed_headers(secret=secret, delivery=delivery, timestamp=now, body=body)
    try:
        answer = httpx.post(
            url, content=body, headers={**headers, "content-type": "application/json"}, timeout=10
        )
    except httpx.HTTPError as error:
        return f"the bridge did not answer at {url} ({error}): start it with `reana-bridge serve`"
    if answer.status_code in (200, 202):
        return f"the bridge at {url} took a test delivery"
    return f"the bridge at {url} refused a test delivery with {answer.status_code}: does it have this secret?"
