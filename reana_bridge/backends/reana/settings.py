"""What an administrator says of a REANA backend."""

import fnmatch
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT = "default"
UNTRUSTED = "untrusted"


@dataclass(frozen=True, kw_only=True)
class Account:
    """A REANA account that runs are submitted with.

    Attributes:
        name: Stands in identities, so a renamed account no longer finds its runs.
        token: What the server knows the account by.
        token_file: Where the token was read from; read again when the server takes it no more.
        match: Glob over project names; the account is theirs alone.
        most: Runs that it may have at once; None for no limit of its own.
    """

    name: str
    token: str = field(repr=False)
    token_file: Path | None = None
    match: str = "*"
    most: int | None = None


@dataclass(frozen=True, kw_only=True)
class ReanaSettings:
    """How one REANA instance is used.

    Attributes:
        url: Its address, such as `https://reana.cern.ch`.
        accounts: The first whose `match` fits a project is its account.
        untrusted: For code from forks; None where such code is not run there.
        scratch: A directory for the files of a commit while they are sent, and for downloads.
        tag: Part of every workflow's name: this bridge's own, so that it never touches another one's.
        ca_file: Certificates to trust instead of the system's.
        timeout: Seconds that the server may take for an answer, or for the next part of one.
        rate: Requests a second that this process sends at most.
        uploads: Files that are sent at once.
        page: Workflows on a page of a list.
        poll: Seconds between two looks: the least, the most.
        queued_seconds: Longest stay in REANA's queue.
        pending_seconds: Longest time between REANA's decision to start a workflow and its start.
        retention_days: How long REANA keeps a workspace's files; None to leave it to `reana.yaml`.
    """

    url: str
    accounts: tuple[Account, ...]
    untrusted: Account | None = None
    scratch: Path
    tag: str
    ca_file: Path | None = None
    timeout: float = 30.0
    rate: float = 16.0
    uploads: int = 4
    page: int = 500
    poll: tuple[float, float] = (2.0, 30.0)
    queued_seconds: float = 86400.0
    pending_seconds: float = 3600.0
    retention_days: int | None = None

    def account_of(self, project: str, *, trusted: bool = True) -> Account | None:
        """The account that runs of `project` (`forge:path`) are submitted with; None where there is none.

        Args:
            project: Whose.
            trusted: False for code from a fork.
        """
        if not trusted:
            return self.untrusted
        return next((one for one in self.accounts if fnmatch.fnmatchcase(project, one.match)), None)

    def every_account(self) -> tuple[Account, ...]:
        """All accounts, that of forks' code too."""
        return (*self.accounts, self.untrusted) if self.untrusted else self.accounts
