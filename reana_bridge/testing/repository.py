"""A bare git repository of the fake, and the few questions that a forge asks of one.

Every call is one git process. Refs and shas come from the fake's own state or were checked before; what a
client sends is checked here.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SHA = re.compile(r"[0-9a-f]{40}")
_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_./+-]{0,250}")
_CONFIGURATION = (
    ("uploadpack.allowAnySHA1InWant", "true"),
    ("uploadpack.allowFilter", "true"),
    ("receive.denyDeletes", "false"),
    ("receive.hideRefs", "refs/merge-requests"),
    ("transfer.hideRefs", "refs/keep-around"),
    ("http.receivepack", "true"),
    ("core.fsync", "none"),
    ("gc.auto", "0"),
    ("receive.autogc", "false"),
)
_FIELDS = "%H%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B"


class GitError(Exception):
    """Git could not do it; the message is its own."""


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit as git tells of it; times are ISO 8601 with a zone."""

    sha: str
    parents: tuple[str, ...]
    author_name: str
    author_email: str
    authored_date: str
    committer_name: str
    committer_email: str
    committed_date: str
    message: str

    @property
    def title(self) -> str:
        """The first line of its message."""
        return self.message.partition("\n")[0]


def environment() -> dict[str, str]:
    """Variables for git that keep everybody's own configuration out."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return kept | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}


class Repository:
    """A bare repository in the directory `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._commits: set[str] = set()  # that are known to be there: nothing is ever removed

    def git(self, *arguments: str, data: bytes = b"") -> bytes:
        """The output of `git ARGUMENTS`.

        Raises:
            GitError: It ended with an error.
        """
        done = subprocess.run(
            ["git", *arguments], cwd=self.path, env=environment(), input=data, capture_output=True
        )
        if done.returncode:
            raise GitError(f"git {arguments[0]}: {done.stderr.decode('utf-8', 'replace').strip()}")
        return done.stdout

    def text(self, *arguments: str) -> str:
        """The output of `git ARGUMENTS` as text, without space around it; errors as above."""
        return self.git(*arguments).decode("utf-8", "surrogateescape").strip()

    def create(self, default_branch: str) -> None:
        """Make it, empty."""
        self.path.mkdir(parents=True)
        self.git("init", "--quiet", "--bare", "--template=", f"--initial-branch={default_branch}")
        self._configure()

    def copy_of(self, other: "Repository") -> None:
        """Make it as a fork of `other`: its branches and tags, not its merge requests."""
        shutil.copytree(other.path, self.path)
        for ref in self.refs():
            if not ref.startswith(("refs/heads/", "refs/tags/")):
                self.git("update-ref", "-d", ref)

    def _configure(self) -> None:
        with (self.path / "config").open("a", encoding="utf-8") as file:
            for key, value in _CONFIGURATION:
                section, _, name = key.partition(".")
                file.write(f"[{section}]\n\t{name} = {value}\n")

    def refs(self) -> dict[str, str]:
        """Every ref -> the sha that it names (of annotated tags the tag object)."""
        lines = self.text("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
        return {ref: sha for sha, _, ref in (line.partition(" ") for line in lines)}

    def commit_of(self, name: str) -> str | None:
        """The commit that a sha, branch, tag or full ref names; None where there is none."""
        if not (_SHA.fullmatch(name) or _NAME.fullmatch(name)) or ".." in name:
            return None
        if name in self._commits:
            return name
        tries = [name] if _SHA.fullmatch(name) else [f"refs/heads/{name}", f"refs/tags/{name}", name]
        for one in tries:
            try:
                found = self.text("rev-parse", "--verify", "--quiet", "--end-of-options", one + "^{commit}")
            except GitError:
                continue
            self._commits.add(found)
            return found
        return None

    def commit(self, sha: str) -> Commit:
        """What git tells of a commit that is there."""
        return self.commits(sha, limit=1)[0]

    def commits(self, *revisions: str, limit: int) -> list[Commit]:
        """The newest commits that `revisions` (such as `old..new`) reach, newest first."""
        output = self.git(
            "log", f"--max-count={limit}", "-z", f"--format=tformat:{_FIELDS}", *revisions, "--"
        )
        fields = output.decode("utf-8", "replace").split("\0")
        return [_commit(fields[at : at + 9]) for at in range(0, len(fields) - 8, 9)]

    def count(self, *revisions: str) -> int:
        """How many commits `revisions` reach."""
        return int(self.text("rev-list", "--count", *revisions, "--"))

    def merge_base(self, *commits: str) -> str | None:
        """The best common ancestor; None where histories have nothing in common."""
        try:
            return self.text("merge-base", *commits)
        except GitError:
            return None

    def changed(self, sha: str) -> dict[str, list[str]]:
        """Paths that the commit added, modified and removed against its first parent."""
        output = self.git("diff-tree", "-r", "-z", "--root", "--no-commit-id", "--name-status", "-m",
                          "--first-parent", sha).decode("utf-8", "replace")  # fmt: skip
        parts = output.split("\0")
        found: dict[str, list[str]] = {"added": [], "modified": [], "removed": []}
        kinds = {"A": "added", "D": "removed"}
        for kind, path in zip(parts[0::2], parts[1::2], strict=False):
            found[kinds.get(kind[:1], "modified")].append(path)
        return found

    def file(self, sha: str, path: str) -> bytes | None:
        """A file's bytes at a commit; None where there is none."""
        try:
            return self.git("cat-file", "blob", f"{sha}:{path}")
        except GitError:
            return None

    def branches_with(self, sha: str) -> list[str]:
        """Names of the branches that hold the commit, in order."""
        listed = self.text("for-each-ref", f"--contains={sha}", "--format=%(refname)", "refs/heads")
        lines = listed.splitlines()
        return [line.removeprefix("refs/heads/") for line in lines if line]

    def write(
        self,
        ref: str,
        files: Mapping[str, bytes | None],
        *,
        parents: Sequence[str],
        message: str,
        author: tuple[str, str],
        at: int,
    ) -> str:
        """A commit of the first parent's files with `files` changed (None removes); `ref` names it then.

        Args:
            ref: Full name; moved whatever it was before.
            files: Path -> content.
            parents: Shas; none for a first commit.
            message: The commit's message.
            author: Name and e-mail.
            at: UTC seconds since the epoch.
        """
        who = f"{author[0]} <{author[1]}> {at} +0000".encode()
        text = message.encode()
        lines = [b"commit " + ref.encode(), b"mark :1", b"author " + who, b"committer " + who]
        lines.append(b"data %d\n%s" % (len(text), text))
        lines += [(b"merge " if at_ else b"from ") + sha.encode() for at_, sha in enumerate(parents)]
        for path, content in files.items():
            quoted = b'"' + path.replace("\\", "\\\\").replace('"', '\\"').encode() + b'"'
            if content is None:
                lines.append(b"D " + quoted)
            else:
                lines.append(b"M 100644 inline " + quoted + b"\ndata %d\n%s" % (len(content), content))
        lines += [b"get-mark :1", b"done", b""]
        start = [] if parents else [b"reset " + ref.encode()]
        return (
            self.git("fast-import", "--quiet", "--force", "--done", data=b"\n".join([*start, *lines]))
            .decode()
            .strip()
        )

    def bring(self, other: "Repository", sha: str, ref: str) -> None:
        """Let `ref` name the commit `sha`, which `other` holds."""
        if other.path != self.path:
            self.git("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", str(other.path), sha)
        self.git("update-ref", ref, sha)
        self.git("update-ref", f"refs/keep-around/{sha}", sha)

    def archive(self, sha: str, prefix: str, kind: str) -> bytes:
        """The commit's files as `tar.gz` or `zip`."""
        return self.git("archive", f"--format={kind}", f"--prefix={prefix}/", sha)


def _commit(fields: Sequence[str]) -> Commit:
    sha, parents, name, email, authored, committer, committer_email, committed, message = fields
    return Commit(
        sha=sha.strip(),
        parents=tuple(parents.split()),
        author_name=name,
        author_email=email,
        authored_date=authored,
        committer_name=committer,
        committer_email=committer_email,
        committed_date=committed,
        message=message.rstrip("\n") + "\n",
    )
