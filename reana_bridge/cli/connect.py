"""`reana-bridge connect`: let a repository tell the bridge of pushes."""

import time
from pathlib import Path
from typing import Annotated

import typer

from reana_bridge.cli.common import ConfigOption, Failure, JsonOption, print_json, settings_of
from reana_bridge.settings import ForgeSettings, Settings

EXAMPLE = '[forges.local]\nkind = "git"\nroot = "{root}"\nwebhook_secrets = ["..."]'


def command(
    repository: Annotated[Path, typer.Argument(help="The bare repository that people push to.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take the hook out again.")] = False,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Install (or repair) the hook by which a bare repository tells the bridge of each push.

    Example: `reana-bridge connect /srv/git/group/name.git`
    """
    from reana_bridge.forges import git_hook

    settings = settings_of(config)
    forge, entry, project = _place(settings, repository.resolve())
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


def _place(settings: Settings, repository: Path) -> tuple[str, ForgeSettings, str]:
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


def _registration(settings: Settings, project: str) -> str:
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
