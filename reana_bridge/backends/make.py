"""Makes the backends of the kinds that come with the bridge from their settings (named by entry points)."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reana_bridge.backends.local import LocalBackend
from reana_bridge.backends.local.settings import SYSTEM, Environment, ImageEnvironment, LocalSettings
from reana_bridge.backends.reana.names import tag_of
from reana_bridge.backends.reana.settings import DEFAULT, UNTRUSTED, Account, ReanaSettings
from reana_bridge.settings import BackendSettings, EnvironmentSettings, Settings, SettingsError, server_key

if TYPE_CHECKING:
    from reana_bridge.backends.reana.backend import ReanaBackend


def local(name: str, entry: BackendSettings, settings: Settings) -> LocalBackend:
    """This machine.

    Raises:
        SettingsError: An environment's requirements cannot be read, or it has two sources.
    """
    storage = settings.storage
    images = (ImageEnvironment(image=e.image, environment=_environment(name, e)) for e in entry.environments)
    default = Environment(name="search path", bins=entry.search_path) if entry.search_path else SYSTEM
    return LocalBackend(
        name,
        root=storage.runs / name,
        settings=LocalSettings(
            sandbox=entry.sandbox,
            environments=tuple(images),
            default=default,
            environments_directory=storage.environments.absolute(),
            minimum_free=storage.minimum_free,
            host_network_allowed=entry.host_network,
            tether=entry.tether,
        ),
    )


def _environment(backend: str, entry: EnvironmentSettings) -> Environment:
    packages = list(entry.packages)
    try:
        if entry.requirements:
            lines = entry.requirements.read_text(encoding="utf-8").splitlines()
            packages += [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
        name = entry.name or entry.image
        return Environment(name=name, prefix=entry.path, packages=tuple(packages))
    except (OSError, ValueError) as error:
        raise SettingsError(f"backends.{backend}.environments: image {entry.image!r}: {error}") from None


def reana(name: str, entry: BackendSettings, settings: Settings) -> "ReanaBackend":
    """A REANA instance.

    Raises:
        SettingsError: It has no address, no token, or accounts of the same name.
    """
    # Not at the top: a bridge that only runs things here is spared the time and memory of an HTTP client.
    from reana_bridge.backends.reana.backend import ReanaBackend
    from reana_bridge.backends.reana.loading import Loader

    if urlsplit(entry.url).scheme not in ("http", "https") or not urlsplit(entry.url).hostname:
        raise SettingsError(f"backends.{name}.url: write REANA's address, such as `https://reana.cern.ch`")
    if entry.poll_fastest > entry.poll_slowest:
        raise SettingsError(f"backends.{name}.poll_fastest: is more than poll_slowest")
    storage = settings.storage
    return ReanaBackend(
        name,
        settings=ReanaSettings(
            url=entry.url.rstrip("/"),
            accounts=_accounts(name, entry),
            untrusted=_untrusted(entry),
            scratch=storage.runs / name,
            tag=tag_of(server_key(storage.secrets)),
            ca_file=entry.ca_file,
            timeout=entry.timeout,
            rate=entry.requests_per_second,
            uploads=entry.uploads,
            poll=(entry.poll_fastest, entry.poll_slowest),
            queued_seconds=entry.queued_seconds,
            pending_seconds=entry.pending_seconds,
            retention_days=entry.retention_days,
        ),
        load=Loader(storage.runs / name, storage.environments.absolute()),
    )


def _accounts(name: str, entry: BackendSettings) -> tuple[Account, ...]:
    found: list[Account] = []
    for one in entry.accounts:
        if one.token is None:
            raise SettingsError(f"backends.{name}.accounts: {one.name!r} has no token; set `token_file`")
        token = one.token.get_secret_value()
        most = one.concurrency or entry.account_concurrency
        found.append(
            Account(name=one.name, token=token, token_file=one.token_file, match=one.match, most=most)
        )
    if entry.token is not None:
        token = entry.token.get_secret_value()
        most = entry.account_concurrency
        found.append(Account(name=DEFAULT, token=token, token_file=entry.token_file, most=most))
    taken = [one.name for one in found]
    if len(set(taken)) < len(taken) or UNTRUSTED in taken or DEFAULT in taken[:-1]:
        raise SettingsError(
            f"backends.{name}.accounts: each needs a name of its own, not `{DEFAULT}` or `{UNTRUSTED}`"
        )
    if not found:
        raise SettingsError(f"backends.{name}: has no token; set `token_file`, or `accounts`")
    return tuple(found)


def _untrusted(entry: BackendSettings) -> Account | None:
    if entry.untrusted_token is None:
        return None
    token = entry.untrusted_token.get_secret_value()
    most = entry.untrusted_concurrency or entry.account_concurrency
    return Account(name=UNTRUSTED, token=token, token_file=entry.untrusted_token_file, most=most)
