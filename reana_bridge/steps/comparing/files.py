"""Looks into the artifacts whose content differs from the baseline's, and keeps the pictures that are made.

Everything happens before the comparison is written. Killed anywhere, it starts again: the same files give the
same pictures under the same digests, and what nothing names is removed by `retain`.
"""

import os
import re
import stat
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from sqlalchemy import delete
from sqlalchemy.orm import Session

from reana_bridge.model.analyses import FileRule
from reana_bridge.model.comparisons import FileComparison, FileVerdict, Picture
from reana_bridge.model.results import Artifact, Result
from reana_bridge.results.comparison import compare_files
from reana_bridge.results.files.comparing import Limits, Wanted, compare_contents
from reana_bridge.results.files.rules import judged, rule_on
from reana_bridge.steps.bridge import Bridge
from reana_bridge.store.tables import ArtifactRow

PICTURE = "picture"
_PNG = b"\x89PNG"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_GONE = "the content of one side is no longer kept"
_artifact = cast(Any, ArtifactRow)


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What became of the artifacts.

    Attributes:
        files: Each of either side; None where there is no baseline.
        pictures: What was drawn of them, kept; a path is the digest with `.png`.
    """

    files: tuple[FileComparison, ...] | None = None
    pictures: tuple[Artifact, ...] = ()


def look_into(bridge: Bridge, baseline: Result | None, head: Result, rules: Sequence[FileRule]) -> Looked:
    """What became of the artifacts of `head` against those of `baseline`, by the `rules` that count."""
    if baseline is None:
        return Looked()
    found = {each.path: each for each in compare_files(baseline.artifacts, head.artifacts)}
    with tempfile.TemporaryDirectory(prefix="reana-bridge-") as place:
        wanted: list[Wanted] = []
        for each in found.values():
            rule = rule_on(each.path, rules)
            try:
                if each.verdict is FileVerdict.DIFFERENT:
                    wanted.append(_wanted(bridge, each, rule))
            except FileNotFoundError:
                each = replace(each, verdict=FileVerdict.NOT_COMPARABLE, explanation=_GONE)
            found[each.path] = judged(each, rule)
        for each in compare_contents(wanted, drawings=Path(place), limits=_limits(bridge)):
            known = found[each.path]
            digests = {"baseline_digest": known.baseline_digest, "head_digest": known.head_digest}
            found[each.path] = replace(each, **digests)
        kept = _kept(bridge, found.values(), Path(place))
    files = tuple(_with_pictures(each, kept) for each in found.values())
    return Looked(files=files, pictures=tuple(kept.values()))


def keep_pictures(session: Session, run_id: str, looked: Looked) -> None:
    """Let the run's pictures be those of `looked` and no others."""
    session.execute(delete(ArtifactRow).where(_artifact.run_id == run_id, _artifact.kind == PICTURE))
    session.add_all(
        ArtifactRow(run_id=run_id, kind=PICTURE, path=each.path, digest=each.digest, size=each.size)
        for each in looked.pictures
    )


def _wanted(bridge: Bridge, each: FileComparison, rule: FileRule | None) -> Wanted:
    baseline, head = (bridge.blobs.path(digest) for digest in (each.baseline_digest, each.head_digest))
    return Wanted(path=each.path, baseline=baseline, head=head, rule=rule)


def _limits(bridge: Bridge) -> Limits:
    limits = bridge.settings.limits
    return Limits(
        count=limits.compared_files,
        size=limits.compared_file,
        seconds=limits.compared_seconds,
        isolation=bridge.isolation,
    )


def _kept(bridge: Bridge, files: Iterable[FileComparison], place: Path) -> dict[str, Artifact]:
    """By digest, the pictures that are there and are what they say, as many as may be kept."""
    kept: dict[str, Artifact] = {}
    pictures = (picture for each in files for picture in _pictures(each))
    for picture in pictures:
        if picture.digest in kept or len(kept) >= bridge.settings.limits.compared_pictures:
            continue
        with _drawn(place, picture) as content:
            if content is None or content.read(len(_PNG)) != _PNG:
                continue
            content.seek(0)
            blob = bridge.blobs.put(content, limit=bridge.settings.limits.isolated_output)
        if blob.digest == picture.digest:
            path = f"{blob.digest}.png"
            kept[blob.digest] = Artifact(path=path, digest=blob.digest, size=blob.size)
    return kept


@contextmanager
def _drawn(place: Path, picture: Picture) -> Generator[BinaryIO | None]:
    """The plain file that was drawn; None where there is none. What drew it is not trusted: no links."""
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


def _pictures(each: FileComparison) -> Iterator[Picture]:
    yield from each.pictures
    for part in each.parts:
        yield from part.pictures


def _with_pictures(each: FileComparison, kept: Mapping[str, Artifact]) -> FileComparison:
    """With those of its pictures that were kept."""

    def some(pictures: tuple[Picture, ...]) -> tuple[Picture, ...]:
        return tuple(picture for picture in pictures if picture.digest in kept)

    parts = tuple(replace(part, pictures=some(part.pictures)) for part in each.parts)
    return replace(each, parts=parts, pictures=some(each.pictures))
