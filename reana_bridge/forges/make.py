"""Makes the forges of the kinds that come with the bridge from their settings (named by entry points)."""

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reana_bridge.forges.git import GitForge
from reana_bridge.settings import ForgeSettings, Settings, SettingsError

if TYPE_CHECKING:
    from reana_bridge.forges.github.forge import GithubForge
    from reana_bridge.forges.gitlab.forge import GitLabForge


def git(name: str, entry: ForgeSettings, settings: Settings) -> GitForge:
    """Plain git over bare repositories.

    Raises:
        SettingsError: `root` is missing.
    """
    if entry.root is None:
        example = f'[forges.{name}]\n    kind = "git"\n    root = "/srv/git"'
        raise SettingsError(f"forges.{name}.root: is missing; for example:\n    {example}")
    return GitForge(name, root=entry.root, submodule_hosts=entry.submodule_hosts)


def gitlab(name: str, entry: ForgeSettings, settings: Settings) -> "GitLabForge":
    """A GitLab instance.

    Raises:
        SettingsError: `url` or `token` is missing or cannot be used.
    """
    from reana_bridge.forges.gitlab.forge import GitLabForge

    example = f'[forges.{name}]\n    kind = "gitlab"\n    url = "https://gitlab.example.org"'
    url = safe_url(name, entry.url, example)
    token = usable_token(name, entry, f'{example}\n    token_file = "/run/secrets/gitlab-token"')
    return GitLabForge(
        name,
        url=url,
        token=token,
        timeout=entry.timeout,
        settled_after=entry.settle_seconds,
        ca_file=entry.ca_file,
        submodule_hosts=entry.submodule_hosts,
        may_hold=settings.may_hold,
    )


def github(name: str, entry: ForgeSettings, settings: Settings) -> "GithubForge":
    """GitHub, on github.com or an enterprise's own server, with a token or as a GitHub App.

    Raises:
        SettingsError: An address is unsafe, there is neither token nor App, or only half of an App.
    """
    from reana_bridge.forges.github.forge import GITHUB, GithubForge

    example = f'[forges.{name}]\n    kind = "github"'
    url = safe_url(name, entry.url or GITHUB, f'{example}\n    url = "{GITHUB}"')
    api_url = (
        safe_url(name, entry.api_url, f'{example}\n    api_url = "..."', "api_url") if entry.api_url else ""
    )
    key = entry.app_key.get_secret_value() if entry.app_key else ""
    app = f'{example}\n    app_id = "12345"\n    app_key_file = "/run/secrets/github-app.pem"'
    if bool(entry.app_id) != bool(key.strip()):
        missing = "app_key" if entry.app_id else "app_id"
        raise SettingsError(f"forges.{name}.{missing}: is missing; for example:\n    {app}")
    token = (
        "" if entry.app_id else usable_token(name, entry, f'{app}\n  or token_file = "/run/secrets/token"')
    )
    return GithubForge(
        name,
        url=url,
        api_url=api_url,
        token=token,
        app_id=entry.app_id,
        app_key=key,
        timeout=entry.timeout,
        settled_after=entry.settle_seconds,
        ca_file=entry.ca_file,
        submodule_hosts=entry.submodule_hosts,
        may_hold=settings.may_hold,
    )


def usable_token(name: str, entry: ForgeSettings, example: str) -> str:
    """The forge's token.

    Raises:
        SettingsError: There is none, or it can be none.
    """
    token = entry.token.get_secret_value().strip() if entry.token else ""
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        fault = "is no token" if token else "is missing"
        raise SettingsError(f"forges.{name}.token: {fault}; for example:\n    {example}")
    return token


def safe_url(name: str, url: str, example: str, key: str = "url") -> str:
    """A forge's address that a token may be sent to: https, or http on this machine (for tests).

    Raises:
        SettingsError: It is anything else.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if host and plain and (parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host))):
        return url.rstrip("/")
    fault = "is missing" if not url else "has to be an https:// address without user, query or fragment"
    raise SettingsError(f"forges.{name}.{key}: {fault}; for example:\n    {example}")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
