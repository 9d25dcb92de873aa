"""What the git forge shows of a commit: one git note in `refs/notes/reana-bridge`.

    reana/fit: success - 1 of 14 metrics got worse - https://bridge.example.org/runs/7
    reana/scan: running - step 2 of 4, fit - https://bridge.example.org/runs/8

    The report, in Markdown.

Promises: a status rewrites its own line alone, a report its own part alone; writing the same again makes no
new object; two writers never lose each other's part; the same note made at the same time is the same commit.
"""

import re
from collections.abc import Callable
from pathlib import Path

from reana_bridge.forges.base import CommitGone, ForgeError, Status
from reana_bridge.forges.gitcache import has_commit, locked, require_sha
from reana_bridge.forges.gitcommand import GitFailed, run_git

REF = "refs/notes/reana-bridge"
"""Where the notes are kept; people fetch it with `git fetch origin REF:REF`."""

_WHO = "reana-bridge <reana-bridge@localhost>"
_ATTEMPTS = 5
_LOCK_TIMEOUT = 30.0


def with_status(text: str, status: Status) -> str:
    """The note `text` with the line of `status.context` put in, or in place of the one it had."""
    lines, body = _parts(text)
    parts = [f"{status.context}: {status.state.value}", status.description, status.url]
    lines[status.context] = " - ".join(" ".join(part.split()) for part in parts if part.strip())
    return _joined(lines, body)


def with_body(text: str, body: str) -> str:
    """The note `text` with `body` in place of the report that it had."""
    lines, _ = _parts(text)
    return _joined(lines, body)


def read(repository: Path, sha: str) -> str | None:
    """The note of the commit `sha`; None where it has none."""
    arguments = ["notes", f"--ref={REF}", "show", require_sha(sha)]
    status, output = run_git(arguments, directory=repository, accept=(0, 1))
    return output.decode("utf-8", "replace") if status == 0 else None


def rewrite(repository: Path, sha: str, change: Callable[[str], str], *, now: float) -> None:
    """Replace the note of `sha` by what `change` makes of it (of an empty text where there is none).

    Args:
        repository: The bare repository that people push to.
        sha: The commit.
        change: Called again when somebody else wrote in between.
        now: UTC seconds since the epoch, for the commit that holds the note.

    Raises:
        CommitGone: The repository has no such commit (any more).
        ForgeError: The repository cannot be written now.
    """
    if not has_commit(repository, sha):
        raise CommitGone(f"{repository} has no commit {sha} (any more)")
    try:
        with locked(repository / "reana-bridge.lock", timeout=_LOCK_TIMEOUT) as lock:
            for attempt in range(1, _ATTEMPTS + 1):
                tip = _tip(repository)
                old = read(repository, sha) or "" if tip else ""
                new = change(old)
                if new == old or _commit(repository, sha, tip, new, now, lock, last=attempt == _ATTEMPTS):
                    return
    except OSError as error:
        message = f"{repository} cannot be written ({error}); let the bridge's user write it"
        raise ForgeError(message) from error


def _commit(
    repository: Path, sha: str, tip: str | None, text: str, now: float, lock: int, *, last: bool
) -> bool:
    """Write `text` on top of `tip`; False when the ref is no longer there."""
    data = text.encode("utf-8", "replace")
    message = f"reana-bridge on {sha[:12]}\n".encode()
    stream = b"commit %s\ncommitter %s %d +0000\n" % (REF.encode(), _WHO.encode(), int(now))
    stream += b"data %d\n%s\n" % (len(message), message)
    if tip is not None:
        stream += b"from %s\n" % tip.encode()
    stream += b"N inline %s\ndata %d\n%s\ndone\n" % (sha.encode(), len(data), data)
    try:
        # fast-import refuses to move a ref to a commit that does not follow what the ref points to by then.
        arguments = ["fast-import", "--quiet", "--done"]
        run_git(arguments, directory=repository, data=stream, keep_open=[lock])
    except GitFailed:
        for crash in repository.glob("fast_import_crash_*"):
            crash.unlink(missing_ok=True)
        if last or _tip(repository) == tip:
            raise
        return False
    return True


def _tip(repository: Path) -> str | None:
    arguments = ["rev-parse", "--verify", "--quiet", REF]
    status, output = run_git(arguments, directory=repository, accept=(0, 1))
    return output.decode("ascii").strip() if status == 0 else None


_STATUS = re.compile(r"(reana/[A-Za-z0-9._-]+): \S")


def _parts(text: str) -> tuple[dict[str, str], str]:
    lines: dict[str, str] = {}
    rest = text
    while match := _STATUS.match(rest):
        lines[match[1]], _, rest = rest.partition("\n")
    return lines, rest.removeprefix("\n")


def _joined(lines: dict[str, str], body: str) -> str:
    """The empty line stands before every report, so a report cannot pass for a status."""
    top = "".join(f"{lines[context]}\n" for context in sorted(lines))
    body = body.strip("\n")
    return f"{top}\n{body}\n" if body else top
