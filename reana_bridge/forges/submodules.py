"""Where a submodule may come from: a pure answer to a URL that somebody wrote into `.gitmodules`.

Promises: only repositories below the forge's own directories and allowed hosts over https are ever named;
no URL with credentials, no other protocol, no path on the server's disk passes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_SCP = re.compile(r"(?:[A-Za-z0-9_.-]+@)?([A-Za-z0-9.-]+):(?!//)(/?[^/:].*)")
_SHOWN = 200


class SubmoduleRefused(Exception):
    """A submodule is not fetched; the message says why and what to write instead."""


@dataclass(frozen=True)
class Location:
    """A repository that may be fetched.

    Attributes:
        url: An https URL or an absolute path.
        protocol: `https` or `file`, or `http` below a forge that is itself reached so.
    """

    url: str
    protocol: str


@dataclass(frozen=True, kw_only=True)
class SubmodulePolicy:
    """Where the submodules of one project may come from.

    Attributes:
        url: The project's own URL or absolute path: what relative URLs start from.
        roots: Directories (resolved) below which local repositories may be fetched.
        hosts: Host names (or `host:port`) that may be fetched from over https.
        forge: The forge's own address, such as `https://gitlab.example.org`; empty where it has none.
        environment: What git needs to fetch from a location's URL, for that URL alone.
        depth: Submodules within submodules.
        count: All submodules of a checkout together.
    """

    url: str
    roots: tuple[Path, ...] = ()
    hosts: frozenset[str] = frozenset()
    forge: str = ""
    environment: Callable[[str], Mapping[str, str]] = field(default=lambda _: {}, repr=False, hash=False)
    depth: int = 5
    count: int = 100

    def locate(self, url: str, *, base: str) -> Location:
        """The repository that `url`, written in the repository at `base`, stands for.

        Raises:
            SubmoduleRefused: It may not be fetched, or there is none.
        """
        shown = url[:_SHOWN]
        if not url or url.startswith("-") or not url.isprintable():
            raise SubmoduleRefused(f"{shown!r} is not a URL")
        if url.startswith(("./", "../")):
            url = _joined(base, url)
        if url.startswith("/"):
            return self._local(url, shown)
        if url.startswith("file://"):
            return self._local(url.removeprefix("file://"), shown)
        if "://" not in url and (match := _SCP.fullmatch(url)):
            # `git@host:group/name.git`, as people copy it; the same repository over https.
            url = f"https://{match[1]}/{match[2].lstrip('/')}"
        return self._remote(url, shown)

    def _local(self, path: str, shown: str) -> Location:
        for candidate in (Path(path), Path(f"{path}.git")):
            real = candidate.resolve()
            inside = any(real.is_relative_to(root) for root in self.roots)
            if inside and (real / "HEAD").is_file() and (real / "objects").is_dir():
                return Location(str(real), "file")
        raise SubmoduleRefused(
            f"{shown!r} is no repository of this forge; use a relative URL such as ../other.git"
        )

    def _remote(self, url: str, shown: str) -> Location:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise SubmoduleRefused(f"{shown!r} is not a URL") from error
        plain = "@" not in parts.netloc and not parts.query and not parts.fragment
        below = bool(self.forge) and url.startswith(self.forge.rstrip("/") + "/")
        if below and plain and ".." not in parts.path.split("/"):
            return Location(url, parts.scheme)
        if parts.scheme != "https":
            raise SubmoduleRefused(f"{shown!r} is not fetched: only https and relative URLs are")
        if not plain:
            raise SubmoduleRefused("a submodule's URL may hold no user, password, query or fragment")
        if (host if port is None else f"{host}:{port}") not in self.hosts:
            raise SubmoduleRefused(
                f"{shown!r} is on another host; use a relative URL, or ask an administrator to allow {host}"
            )
        return Location(url, "https")


def urls_by_path(settings: bytes) -> Mapping[bytes, str]:
    """Path -> URL from `git config --null --list` of a `.gitmodules`; entries without both are left out."""
    paths: dict[str, str] = {}
    urls: dict[str, str] = {}
    for item in settings.decode("utf-8", "surrogateescape").split("\0"):
        key, _, value = item.partition("\n")
        section, _, name = key.partition(".")
        name, _, variable = name.rpartition(".")
        if section == "submodule" and name and variable == "path":
            paths[name] = value
        elif section == "submodule" and name and variable == "url":
            urls[name] = value
    found = {paths[name]: urls[name] for name in paths if name in urls}
    return {path.encode("utf-8", "surrogateescape"): url for path, url in found.items()}


def _joined(base: str, relative: str) -> str:
    """`relative` from `base` by git's rule: each `../` takes one part of the base's path away."""
    scheme, separator, rest = base.rpartition("://")
    host, slash, path = rest.partition("/")
    parts = [part for part in path.split("/") if part]
    for step in relative.split("/"):
        if step == "..":
            if not parts:
                raise SubmoduleRefused(f"{relative[:_SHOWN]!r} leads out of the forge")
            parts.pop()
        elif step not in {"", "."}:
            parts.append(step)
    return f"{scheme}{separator}{host}{slash or '/'}{'/'.join(parts)}"
