"""What every route has at hand: the bridge, what runs beside the web, and the measurements."""

from dataclasses import dataclass
from typing import Any, Protocol, cast

from starlette.requests import HTTPConnection

from reana_bridge.steps.bridge import Bridge
from reana_bridge.web.telemetry import Telemetry


class Runtime(Protocol):
    """What the app starts with itself and stops with itself, such as the steps' workers."""

    def start(self) -> None:
        """Start; called once, in a thread."""
        ...

    def stop(self) -> None:
        """Come to an end; called once, in a thread."""
        ...

    def problems(self) -> list[str]:
        """What is wrong now, one sentence each; empty when all is well."""
        ...


@dataclass(frozen=True, kw_only=True)
class Site:
    """Made once an app by `make_app`.

    Attributes:
        bridge: Settings, database, kept files, backends.
        runtime: None where nothing runs beside the web.
        telemetry: What `/metrics` shows.
    """

    bridge: Bridge
    runtime: Runtime | None
    telemetry: Telemetry

    @property
    def is_https(self) -> bool:
        """Whether people reach the server over https, so that cookies may insist on it."""
        return self.bridge.settings.server.public_url.startswith("https:")

    @property
    def origin(self) -> str:
        """Scheme, host and port as people reach them."""
        scheme, _, rest = self.bridge.settings.server.public_url.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}".lower()


def site_of(connection: HTTPConnection) -> Site:
    """The site that a request came to."""
    return cast(Any, connection).app.state.site
