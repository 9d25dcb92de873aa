"""Makes the backends of the kinds that come with the bridge from their settings (named by entry points)."""

from reana_bridge.backends.local import LocalBackend
from reana_bridge.backends.local.settings import SYSTEM, Environment, ImageEnvironment, LocalSettings
from reana_bridge.settings import BackendSettings, EnvironmentSettings, Settings, SettingsError


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
