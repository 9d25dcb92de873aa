"""Pictures that were drawn in isolation, taken over into the store. What drew them is not trusted."""

import os
import re
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from sqlalchemy import delete
from sqlalchemy.orm import Session

from reana_bridge.model.drawn import Picture
from reana_bridge.model.results import Artifact
from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.artifacts import artifact_row
from reana_bridge.store.tables import ArtifactRow

PICTURE = "picture"
_PNG = b"\x89PNG"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_artifact = cast(Any, ArtifactRow)


def take_over(
    bridge: Bridge, pictures: Iterable[Picture], place: Path, *, most: int | None = None
) -> dict[str, Artifact]:
    """By digest, those of `pictures` that are in `place` and are what they say.

    Args:
        bridge: Where they are kept.
        pictures: What is said to have been drawn.
        place: The directory that it was drawn to.
        most: How many are taken; None for as many as are kept of a run.
    """
    kept: dict[str, Artifact] = {}
    limits = bridge.settings.limits
    most = limits.compared_pictures if most is None else most
    for picture in pictures:
        if picture.digest in kept or len(kept) >= most:
            continue
        with _drawn(place, picture) as content:
            if content is None or content.read(len(_PNG)) != _PNG:
                continue
            content.seek(0)
            blob = bridge.blobs.put(content, limit=limits.isolated_output)
        if blob.digest == picture.digest:
            path = f"{blob.digest}.png"
            kept[blob.digest] = Artifact(path=path, digest=blob.digest, size=blob.size)
    return kept


def name_pictures(session: Session, run_id: str, pictures: Iterable[Artifact]) -> None:
    """Let the run's pictures be these and no others."""
    session.execute(delete(ArtifactRow).where(_artifact.run_id == run_id, _artifact.kind == PICTURE))
    session.add_all(
        artifact_row(run_id, PICTURE, each) for each in {each.digest: each for each in pictures}.values()
    )


@contextmanager
def _drawn(place: Path, picture: Picture) -> Generator[BinaryIO | None]:
    """The plain file that was drawn; None where there is none, or a link in its place."""
    if not _DIGEST.fullmatch(picture.digest):
        yield None
        return
    try:
        opened = os.open(place / picture.digest, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        yield None
        return
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        yield None
        return
    with os.fdopen(opened, "rb") as file:
        yield file
