"""Container images by name: when two names mean the same, and which ones a workflow's files name."""

from __future__ import annotations

import os
import re
import stat
from fnmatch import fnmatchcase

_FILES = 500
_LONGEST = 1 << 20
_IMAGE = re.compile(r"""(?:dockerPull|container|image)["']?\s*:\s*["']?([A-Za-z0-9][\w./:@+-]*)""")
_TAG = re.compile(r"""imagetag["']?\s*:\s*["']?([\w.-]+)""")


def normal(image: str) -> str:
    """`image` without the registry that is meant when none is named: `docker://python:3` -> `python:3`."""
    for prefix in ("docker://", "docker.io/", "index.docker.io/", "library/"):
        image = image.removeprefix(prefix)
    return image


def matches(glob: str, image: str) -> bool:
    """Whether `glob` (such as `python:3.11*`) means `image`."""
    return fnmatchcase(image, glob) or fnmatchcase(normal(image), normal(glob))


def in_workflow(workspace: str, file: str) -> set[str]:
    """The images that the files beside and below the workflow's own `file` name."""
    images: set[str] = set()
    tags: set[str] = set()
    place = os.path.dirname(os.path.join(workspace, file))
    left = _FILES
    for directory, _, names in os.walk(place):
        for name in names:
            left -= 1
            if left < 0:
                return images
            text = _text(os.path.join(directory, name))
            images |= {image.removesuffix(":") for image in _IMAGE.findall(text)}
            tags |= set(_TAG.findall(text))
    untagged = {image for image in images if tags and ":" not in image}
    return (images - untagged) | {f"{image}:{tag}" for image in untagged for tag in tags}


def _text(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        return file.read(_LONGEST).decode("utf-8", "replace").replace("docker://", "")
