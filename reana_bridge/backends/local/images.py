"""Which environment of this machine stands in for a container image."""

from fnmatch import fnmatchcase

from reana_bridge.backends.local.settings import Environment, ImageEnvironment, LocalSettings


def normal(image: str) -> str:
    """`image` without the registry that is meant when none is named: `docker://python:3` -> `python:3`."""
    for prefix in ("docker://", "docker.io/", "index.docker.io/", "library/"):
        image = image.removeprefix(prefix)
    return image


def _matches(rule: ImageEnvironment, image: str) -> bool:
    return fnmatchcase(image, rule.image) or fnmatchcase(normal(image), normal(rule.image))


def environment_for(image: str, settings: LocalSettings) -> Environment | None:
    """The environment that is mapped to `image`; None when there is none (the default one is used)."""
    if not image:
        return None
    return next((rule.environment for rule in settings.environments if _matches(rule, image)), None)
