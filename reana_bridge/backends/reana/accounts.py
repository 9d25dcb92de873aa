"""The accounts of one server: which runs a project's code, and that a fork's code finds no secrets there."""

import threading
import time
from collections.abc import Callable

import httpx

from reana_bridge.backends.base import BackendError, BackendRefused, Job
from reana_bridge.backends.reana.calls import Calls
from reana_bridge.backends.reana.client import Client, Voice, network
from reana_bridge.backends.reana.errors import Away
from reana_bridge.backends.reana.limiter import Limiter
from reana_bridge.backends.reana.settings import Account, ReanaSettings
from reana_bridge.backends.reana.values import items, mapping, text

BUNDLES = "workflow-specification-bundles-v1"
"""The capability by which a server of the next generation is known."""

_GREET_SECONDS = 600.0
_FEW = 3


class Accounts:
    """Calls for each account, with one limiter and one way to speak for all.

    Args:
        settings: How this REANA is used.
        transport: Instead of the network, for tests.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        settings: ReanaSettings,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._greeted_at: float | None = None
        self._told: dict[str, object] = {}
        self._info: tuple[float, dict[str, object]] | None = None
        self.voice = Voice()
        self.limiter = limiter = Limiter(settings.rate)
        carrier = transport or network(settings.ca_file)

        def client(account: Account | None) -> Client:
            return Client(
                settings.url,
                account,
                voice=self.voice,
                limiter=limiter,
                transport=carrier,
                timeout=settings.timeout,
            )

        self._nobody = client(None)
        self._calls = {one.name: Calls(client(one)) for one in settings.every_account()}

    def close(self) -> None:
        """Close what is open."""
        for client in (self._nobody, *(calls.client for calls in self._calls.values())):
            client.close()

    def greet(self) -> dict[str, object]:
        """What the server says at a ping; asked now and then, and decides how tokens are sent.

        Raises:
            ReanaError: It says nothing.
        """
        with self._lock:
            now = self._clock()
            if self._greeted_at is None or now - self._greeted_at > _GREET_SECONDS:
                try:
                    self._told = dict(mapping(self._nobody.json("GET", "ping", "answer a ping")))
                except Away:
                    if self._greeted_at is None:
                        raise
                    # What is asked next says so too, or works.
                self._greeted_at = now
                self.voice.bearer = self.takes_bundles
            return self._told

    @property
    def version(self) -> str:
        """The server's version, where it told that at a ping or in its information; empty else."""
        return text(self._told.get("reana_server_version"))

    @property
    def takes_bundles(self) -> bool:
        """Whether the server speaks the next protocol, as it said last."""
        return BUNDLES in [text(one) for one in items(self._told.get("api_capabilities"))]

    def calls(self, account: str) -> Calls | None:
        """Calls of the account of this name; None where the settings know none.

        Raises:
            ReanaError: The server does not answer.
        """
        self.greet()
        return self._calls.get(account)

    def every(self) -> list[tuple[str, Calls]]:
        """The name and the calls of each account.

        Raises:
            ReanaError: The server does not answer.
        """
        self.greet()
        return list(self._calls.items())

    def of(self, job: Job) -> tuple[str, Calls]:
        """The account that runs `job`: its name and its calls.

        Raises:
            BackendRefused: There is none that may.
            ReanaError: The server does not answer.
        """
        self.greet()
        account = self._settings.account_of(job.project, trusted=job.trusted)
        if account is None and job.trusted:
            raise BackendRefused(
                f"no REANA account is set for the project {job.project}; give the backend a `token`, or an "
                "entry in `accounts` whose `match` fits"
            )
        if account is None:
            raise BackendRefused(
                "code from a fork is not run on this REANA, since an account's secrets enter each of its "
                "jobs; give the backend an `untrusted_token` of an account without secrets"
            )
        return account.name, self._calls[account.name]

    def require_no_secrets(self, calls: Calls) -> None:
        """Refuse an account whose jobs would get secrets.

        Raises:
            BackendRefused: It has some.
            ReanaError: The server does not answer.
        """
        held = calls.secrets()
        if held:
            raise BackendRefused(
                f"the REANA account for code from forks has secrets ({_some(held)}), which would enter each "
                "job; remove them, or set the `untrusted_token` of an account that has none"
            )

    def info(self, calls: Calls) -> dict[str, object]:
        """What the instance offers; empty where it does not say (some cannot)."""
        now = self._clock()
        if self._info is None or now - self._info[0] > _GREET_SECONDS:
            try:
                self._info = (now, calls.info())
            except BackendError:
                return {}
        return self._info[1]


def _some(names: list[str]) -> str:
    return ", ".join(names[:_FEW]) + (", ..." if len(names) > _FEW else "")
