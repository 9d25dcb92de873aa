"""LFS files of a hosted forge, by the batch API of its own address.

Promises: where content comes from is never read from a repository (`.lfsconfig` is not looked at); it comes
from the forge or an allowed host over https; our credentials go to the forge alone, and those that the forge
made for a download to where it said; content that is not the pointer's is not kept.
"""

import hashlib
import json
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

from reana_bridge.forges.base import ForgeError, RateLimited
from reana_bridge.forges.lfs import LfsUnavailable, Pointer

MEDIA_TYPE = "application/vnd.git-lfs+json"
DOWNLOAD_SECONDS = 600.0
"""Seconds for the content of one file."""

_ANSWER = 1 << 20
_REDIRECTS = 3
_ALWAYS_DROPPED = frozenset(["host", "content-length", "transfer-encoding", "connection"])


class RemoteLfs:
    """A project's LFS server; connections are kept until it is left as a context manager."""

    def __init__(
        self,
        url: str,
        *,
        authorization: str,
        forge: str,
        hosts: frozenset[str] = frozenset(),
        ca_file: Path | None = None,
        timeout: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is asked yet.

        Args:
            url: The server's address, below `forge`.
            authorization: Value of the `Authorization` header; empty for none.
            forge: The forge's address; what lies below it is asked with its scheme, all else by https.
            hosts: Other host names (or `host:port`) that content may come from.
            ca_file: Certificates to trust instead of the system's.
            timeout: Seconds for an answer.
            clock: Seconds that only grow.
        """
        self._url = url
        self._authorization = authorization
        self._forge = forge.rstrip("/") + "/"
        self._hosts = hosts
        self._ca_file = ca_file
        self._timeout = timeout
        self._clock = clock
        self._opened: Any = None

    def __enter__(self) -> "RemoteLfs":
        return self

    def __exit__(self, *reason: object) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def fetch(self, pointer: Pointer, destination: Path) -> None:
        """Write the content of `pointer` to the new file `destination`.

        Raises:
            LfsUnavailable: The forge has it not, or says that it lies where it may not come from.
            ForgeError: Not now.
        """
        action = self._action(pointer)
        headers = cast(dict[str, str], action.get("header") or {})
        self._download(str(action.get("href") or ""), headers, pointer, destination)

    def _client(self) -> Any:
        import httpx  # a second of start-up that most checkouts do not need

        if self._opened is None:
            verify: Any = True
            if self._ca_file is not None:
                verify = ssl.create_default_context(cafile=str(self._ca_file))
            self._opened = httpx.Client(verify=verify, timeout=self._timeout, follow_redirects=False)
        return self._opened

    def _action(self, pointer: Pointer) -> Mapping[str, Any]:
        """The forge's word on where to get the content."""
        asked = {
            "operation": "download",
            "transfers": ["basic"],
            "objects": [{"oid": pointer.oid, "size": pointer.size}],
            "hash_algo": "sha256",
        }
        headers = {"Accept": MEDIA_TYPE, "Content-Type": MEDIA_TYPE}
        if self._authorization:
            headers["Authorization"] = self._authorization
        url = f"{self._url}/objects/batch"
        status, answer = self._ask(url, headers, json.dumps(asked).encode())
        _judge(status, "the forge's LFS server")
        try:
            found = cast(dict[str, Any], json.loads(answer))["objects"][0]
            if error := found.get("error"):
                raise LfsUnavailable(_missing(int(error.get("code", 0)), str(error.get("message", ""))))
            return cast(Mapping[str, Any], found["actions"]["download"])
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ForgeError("the forge's LFS server gave an answer that is none of the batch API") from error

    def _ask(self, url: str, headers: Mapping[str, str], content: bytes) -> tuple[int, bytes]:
        import httpx

        try:
            with self._client().stream("POST", url, headers=dict(headers), content=content) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > _ANSWER:
                        raise ForgeError("the forge's LFS server answers without end")
                return response.status_code, bytes(body)
        except httpx.HTTPError as error:
            raise ForgeError(f"the forge's LFS server cannot be reached: {type(error).__name__}") from error

    def _download(self, url: str, headers: Mapping[str, str], pointer: Pointer, destination: Path) -> None:
        import httpx

        sent = {name: str(value) for name, value in headers.items() if name.lower() not in _ALWAYS_DROPPED}
        try:
            for _ in range(_REDIRECTS + 1):
                self._require_allowed(url)
                with self._client().stream("GET", url, headers=sent) as response:
                    if response.is_redirect:
                        url, sent = urljoin(url, str(response.headers["location"])), {}
                        continue
                    _judge(response.status_code, "where the forge keeps it")
                    self._write(response.iter_bytes(), pointer, destination)
                    return
        except httpx.HTTPError as error:
            raise ForgeError(f"an LFS file could not be fetched: {type(error).__name__}") from error
        raise LfsUnavailable("the forge sends from one place to the next for it")

    def _write(self, chunks: Any, pointer: Pointer, destination: Path) -> None:
        digest, size, deadline = hashlib.sha256(), 0, self._clock() + DOWNLOAD_SECONDS
        with destination.open("xb") as file:
            for chunk in chunks:
                size += len(chunk)
                if size > pointer.size:
                    raise LfsUnavailable("the forge has it with another size; push it again")
                if self._clock() > deadline:
                    raise ForgeError(f"an LFS file took more than {DOWNLOAD_SECONDS:.0f} s")
                digest.update(chunk)
                file.write(chunk)
        if size != pointer.size or digest.hexdigest() != pointer.oid:
            raise LfsUnavailable("the forge has it damaged; push it again")

    def _require_allowed(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            named = host if parts.port is None else f"{host}:{parts.port}"
        except ValueError as error:
            raise LfsUnavailable("the forge gave an address for it that is none") from error
        forge = urlsplit(self._forge)
        if (parts.scheme, parts.netloc) == (forge.scheme, forge.netloc):
            return
        if parts.scheme != "https" or named not in self._hosts or "@" in parts.netloc:
            where = f"{parts.scheme}://{named}"[:200]
            raise LfsUnavailable(
                f"the forge keeps it at {where}; ask an administrator to add that to `submodule_hosts`"
            )


def _judge(status: int, where: str) -> None:
    if status == 200:
        return
    if status == 429:
        raise RateLimited(f"{where} asks to fetch LFS files less often")
    if status in {401, 403, 404, 410, 422}:
        raise LfsUnavailable(_missing(status, ""))
    raise ForgeError(f"{where} answered {status} for an LFS file")


def _missing(status: int, said: str) -> str:
    if status in {401, 403}:
        return "the forge does not give it to the bridge; check that its token may read code"
    detail = "".join(character for character in said[:100] if character.isprintable())
    return f"the forge does not have it{f' ({detail})' if detail else ''}; push it with `git lfs push --all`"
