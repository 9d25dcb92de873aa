"""Puts the bridge's post-receive hook into a bare repository, takes it out, and says how it stands.

Promises: a hook that was there keeps working and comes back unchanged on removal; every call may be repeated;
the secret is readable for the repository's owner alone.
"""

import ipaddress
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from reana_bridge.forges import post_receive
from reana_bridge.forges.gitcommand import GitFailed, run_git
from webhooks.signatures import key

_SCRIPT = Path(post_receive.__file__).read_bytes()
_MARK = b"The post-receive hook of reana-bridge:"
_DISPATCHED = "post-receive.d/reana-bridge"


class HookRefused(Exception):
    """The hook cannot be put there; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True)
class HookState:
    """How the hook of a repository stands.

    Attributes:
        installed: Whether pushes reach it.
        url: Where it delivers; empty where it is not configured.
        project: The project that it speaks for; empty where it is not configured.
        waiting: Deliveries in its spool.
        problems: What is wrong, one sentence each, with what to do.
    """

    installed: bool
    url: str = ""
    project: str = ""
    waiting: int = 0
    problems: tuple[str, ...] = ()


def install(repository: Path, *, url: str, project: str, secret: str) -> list[str]:
    """Make pushes to `repository` tell the bridge; what was done, and warnings, one sentence each.

    Args:
        repository: A bare repository.
        url: The bridge's address for this forge, `https://bridge.example.org/webhooks/NAME`.
        project: The project's path on the forge, such as `group/name`.
        secret: One of the forge's `webhook_secrets`.

    Raises:
        HookRefused: It is not a bare repository, shares its hooks with others, or an argument is wrong.
    """
    hooks = _hooks(repository)
    _check(url, secret)
    messages = _place(hooks, repository)
    settings = {"url": url, "project": project, "secret": secret}
    content = json.dumps(settings, indent=2).encode("ascii") + b"\n"
    configuration = repository / post_receive.CONFIGURATION
    if _write(configuration, content, mode=0o600, owner=repository):
        messages.append(f"wrote {configuration}")
    return [*messages, *_warnings(url)] or ["nothing to do: the hook is in place"]


def remove(repository: Path) -> list[str]:
    """Take the hook out and put back what was there; what was done, one sentence each.

    Raises:
        HookRefused: It is not a bare repository, or shares its hooks with others.
    """
    hooks = _hooks(repository)
    messages: list[str] = []
    for path in (hooks / "post-receive", hooks / _DISPATCHED):
        if _is_ours(path):
            path.unlink()
            messages.append(f"removed {path}")
    before = hooks / post_receive.CHAINED
    if os.path.lexists(before) and not os.path.lexists(hooks / "post-receive"):
        before.rename(hooks / "post-receive")
        messages.append(f"put back the hook that was there before: {hooks / 'post-receive'}")
    spool = repository / post_receive.SPOOL
    for path in [repository / post_receive.CONFIGURATION, *spool.glob("*")]:
        if path.exists():
            path.unlink()
            messages.append(f"removed {path}")
    if spool.is_dir():
        spool.rmdir()
    return messages or ["nothing to do: the hook is not installed"]


def inspect(repository: Path) -> HookState:
    """How the hook of `repository` stands; never raises for what is found there."""
    try:
        hooks = _hooks(repository)
    except HookRefused as refused:
        return HookState(installed=False, problems=(str(refused),))
    places = [path for path in (hooks / "post-receive", hooks / _DISPATCHED) if _is_ours(path)]
    settings, problems = _settings(repository)
    if not places:
        problems.append(f"the hook is not installed; run `reana-bridge connect {repository}`")
    running = [path for path in places if os.access(path, os.X_OK)]
    problems += [f"{path} is not executable; connect again" for path in places if path not in running]
    problems += [f"{path} is an older one; connect again" for path in places if path.read_bytes() != _SCRIPT]
    waiting = len(list((repository / post_receive.SPOOL).glob("*.json")))
    if waiting:
        problems.append(f"{waiting} deliveries wait for the next push; is {settings['url']} reachable?")
    return HookState(
        installed=bool(running),
        url=settings["url"],
        project=settings["project"],
        waiting=waiting,
        problems=tuple(problems + _warnings(settings["url"])),
    )


def _hooks(repository: Path) -> Path:
    """The repository's own directory of hooks."""
    try:
        _, bare = run_git(["rev-parse", "--is-bare-repository"], directory=repository)
        arguments = ["config", "--local", "--get", "core.hooksPath"]
        status, elsewhere = run_git(arguments, directory=repository, accept=(0, 1))
    except GitFailed as failure:
        raise HookRefused(f"{repository} is not a git repository; name a bare one") from failure
    if bare.strip() != b"true":
        raise HookRefused(f"{repository} is not a bare repository; name the one that people push to")
    if status == 0 and elsewhere.strip():
        path = elsewhere.decode("utf-8", "replace").strip()
        raise HookRefused(
            f"the hooks of {repository} lie in {path} (core.hooksPath), maybe for other repositories too; "
            f"unset it, or call {post_receive.__file__} from there"
        )
    return repository / "hooks"


def _place(hooks: Path, repository: Path) -> list[str]:
    """Put the script where git, or the hook that is there, runs it."""
    place, before = hooks / "post-receive", hooks / post_receive.CHAINED
    messages: list[str] = []
    _make_directory(hooks, repository)
    if os.path.lexists(place) and not _is_ours(place):
        if place.is_file() and b"post-receive.d" in place.read_bytes():
            place = hooks / _DISPATCHED
            _make_directory(place.parent, repository)
        elif os.path.lexists(before):
            both = f"{place} and {before} are both other hooks"
            raise HookRefused(f"{both}; join them into one and connect again")
        else:
            place.rename(before)
            messages.append(f"the hook that was there is now {before}, and is run first")
    if _write(place, _SCRIPT, mode=0o755, owner=repository):
        messages.append(f"wrote {place}")
    return messages


def _check(url: str, secret: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or "/webhooks/" not in parts.path:
        raise HookRefused(f"{url!r} is not a webhook address; write https://bridge.example.org/webhooks/NAME")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise HookRefused("the webhook's address may hold no user, password, query or fragment")
    try:
        key(secret)
    except ValueError as error:
        raise HookRefused(f"{error}; set one of the forge's webhook_secrets") from error


def _warnings(url: str) -> list[str]:
    parts = urlsplit(url)
    if parts.scheme != "http" or _is_loopback(parts.hostname or ""):
        return []
    return [f"{url} is plain http to another machine: names and messages can be read on the way; use https"]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _settings(repository: Path) -> tuple[dict[str, str], list[str]]:
    path = repository / post_receive.CONFIGURATION
    found, problems = {"url": "", "project": ""}, list[str]()
    try:
        document: Any = json.loads(path.read_bytes())
        found = {name: str(cast(dict[str, Any], document)[name]) for name in found}
        key(str(document["secret"]))
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            problems.append(f"{path} holds the secret and others can read it; connect again")
    except FileNotFoundError:
        problems.append(f"{path} is missing; run `reana-bridge connect {repository}`")
    except (OSError, ValueError, KeyError, TypeError) as error:
        problems.append(f"{path} cannot be used ({type(error).__name__}); connect again")
    return found, problems


def _is_ours(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and _MARK in path.read_bytes()


def _make_directory(path: Path, owner: Path) -> None:
    if not path.is_dir():
        path.mkdir()
        _give(path, owner)


def _write(path: Path, content: bytes, *, mode: int, owner: Path) -> bool:
    """Write in one rename, for the owner of the repository; False when it is there already."""
    if path.is_file() and stat.S_IMODE(path.stat().st_mode) == mode and path.read_bytes() == content:
        return False
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        os.fchmod(file.fileno(), mode)
    _give(fresh, owner)
    fresh.replace(path)
    return True


def _give(path: Path, owner: Path) -> None:
    """The one who pushes must be able to read it, also when an administrator connects the repository."""
    if os.geteuid() == 0:
        status = owner.stat()
        os.chown(path, status.st_uid, status.st_gid)
