"""What all fakes can do: listen and be away, be slow, fail, and say what was asked of them."""

import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from reana_bridge.testing.application import Application
from reana_bridge.testing.delivering import Sender
from reana_bridge.testing.failing import Failure, How
from reana_bridge.testing.listening import Listener
from reana_bridge.testing.requests import WRITES, Request

ApplicationT = TypeVar("ApplicationT", bound=Application)
SenderT = TypeVar("SenderT", bound=Sender[Any, Any])


class Fake(Generic[ApplicationT]):
    """A server on a free port of the loopback interface.

    It knows and forgets as long as it exists; `stop` and `start` keep everything, the address too.

    Attributes:
        failure_body: Of an answer that was made to fail, where no other is told.
        application: What answers.
        failures: What goes wrong.

    Args:
        application: What answers.
        date_header: Whether answers get the time of now; otherwise the application says what time it is.
    """

    failure_body = '{"message":"Bad Gateway"}'

    def __init__(self, application: ApplicationT, *, date_header: bool = True) -> None:
        self.application = application
        self.failures = application.failures
        self._state = application.state
        self._listener = Listener(application, date_header=date_header)
        self._state.url = self._listener.url

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._listener.close()
        self.application.close()

    @property
    def url(self) -> str:
        """Its address, such as `http://127.0.0.1:40123`."""
        return self._state.url

    @property
    def latency(self) -> float:
        """Seconds that every answer takes beside its own work; 0 at first."""
        return self.application.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self.application.latency = seconds

    def start(self) -> None:
        """Listen (again)."""
        self._listener.start()

    def stop(self) -> None:
        """Be away: connections are refused until `start`."""
        self._listener.stop()

    # -- what goes wrong --

    def fail(
        self,
        method: str = "*",
        path: str = "",
        *,
        times: int | None = 1,
        how: How | str = How.BEFORE,
        status: int = 502,
        headers: Mapping[str, str] | None = None,
        body: str | None = None,
        seconds: float = 0.0,
    ) -> Failure:
        """Let requests fail; see `failing.How` and `failing.Failure`.

        Args:
            method: Such as `POST`; `*` for every one.
            path: A regular expression, searched in `/path?query`; REANA's token is not part of it.
            times: How often; None for ever (until `mend`).
            how: When it strikes.
            status: Of the answer.
            headers: Of the answer.
            body: Of the answer; None for `failure_body`.
            seconds: For `slow` and `hang_after`.
        """
        return self.failures.add(
            Failure(
                method=method,
                path=re.compile(path),
                how=How(how),
                times=times,
                status=status,
                headers=dict(headers or {}),
                body=self.failure_body if body is None else body,
                seconds=seconds,
            )
        )

    def mend(self) -> None:
        """Nothing fails any more, and there is no limit."""
        self.failures.clear()

    # -- what was asked of it --

    def requests(self, method: str = "*", path: str = "", *, kind: str = "api") -> list[Request]:
        """The answered requests so far, oldest first.

        Args:
            method: Such as `POST`; `*` (or nothing) for every one.
            path: A regular expression, searched in the path.
            kind: `api`, `git` or `web`.
        """
        with self._state.lock:
            found = list(self._state.requests)
        return [
            one
            for one in found
            if one.kind == kind and method in {"", "*", one.method} and re.search(path, one.path)
        ]

    def writes(self, path: str = "") -> list[Request]:
        """Requests to the API that change something."""
        return [one for one in self.requests(path=path) if one.method in WRITES]

    def reads(self, path: str = "") -> list[Request]:
        """Requests to the API that change nothing."""
        return [one for one in self.requests(path=path) if one.method not in WRITES]

    def forget_requests(self) -> None:
        """Begin the log of requests anew."""
        with self._state.lock:
            self._state.requests.clear()


class FakeForge(Fake[ApplicationT], Generic[ApplicationT, SenderT]):
    """A server that sends webhooks.

    Attributes:
        deliveries: Its webhooks.
    """

    def __init__(self, application: ApplicationT, deliveries: SenderT) -> None:
        super().__init__(application)
        self.deliveries = deliveries

    def __enter__(self) -> Self:
        self.deliveries.start()
        return super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.deliveries.stop()
        super().__exit__(kind, error, trace)

    @contextmanager
    def hooks_held(self) -> Generator[None]:
        """Hooks that are due inside go out afterwards, and tell of the state of then."""
        self.deliveries.hold()
        try:
            yield
        finally:
            self.deliveries.release()
