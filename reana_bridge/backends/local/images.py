"""Which environment of this machine stands in for a container image."""

from reana_bridge.backends.local.settings import Environment, LocalSettings
from reana_bridge.backends.local.supervisor.image_names import matches


def environment_for(image: str, settings: LocalSettings) -> Environment | None:
    """The environment that is mapped to `image`; None when there is none (the default one is used)."""
    if not image:
        return None
    return next((rule.environment for rule in settings.environments if matches(rule.image, image)), None)
