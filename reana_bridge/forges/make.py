"""Makes the forges of the kinds that come with the bridge from their settings (named by entry points)."""

from reana_bridge.forges.git import GitForge
from reana_bridge.settings import ForgeSettings, Settings, SettingsError


def git(name: str, entry: ForgeSettings, settings: Settings) -> GitForge:
    """Plain git over bare repositories.

    Raises:
        SettingsError: `root` is missing.
    """
    if entry.root is None:
        example = f'[forges.{name}]\n    kind = "git"\n    root = "/srv/git"'
        raise SettingsError(f"forges.{name}.root: is missing; for example:\n    {example}")
    return GitForge(name, root=entry.root, submodule_hosts=entry.submodule_hosts)
