"""Draws PDF and ROOT files that stand alone, once each content and run, and keeps what was drawn.

Promises: a file is opened only in isolation, with less time than a comparison has; of one process only
`_AT_ONCE` are drawn at once for who looks at them, whoever else asks is told to come again; what a file
itself is to blame for is kept like a picture, so that it is not tried at each look.
"""

import io
import json
import math
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy.orm import Session

from reana_bridge.model.codec import CodecError, from_data, to_data
from reana_bridge.model.drawn import DrawnFile, Picture
from reana_bridge.model.results import Artifact
from reana_bridge.results.drawing.contents import Content, draw
from reana_bridge.results.drawing.previews import MAX_HISTOGRAMS, MAX_PAGES
from reana_bridge.results.isolation import IsolationLimits
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.comparing.limits import preview_isolation_of
from reana_bridge.steps.comparing.pictures import take_over
from reana_bridge.store.artifacts import put_artifact
from reana_bridge.store.tables import ArtifactRow

PREVIEW = "preview"
VERSION = 1
"""Counted up with any change of what is drawn."""
_AT_ONCE = 2
_PATIENCE = 2.0  # seconds
_INDEX = 64 << 10  # bytes
_MOST = max(MAX_PAGES, MAX_HISTOGRAMS)
_TURNS = threading.BoundedSemaphore(_AT_ONCE)


def drawn_file(bridge: Bridge, row: ArtifactRow) -> DrawnFile:
    """What is in a kept file of a drawn kind, from what was kept of it, or drawn now.

    No session may be open: it can take a while.

    Raises:
        FileNotFoundError: Its content is gone.
    """
    artifact = Artifact(path=row.path, digest=row.digest, size=row.size)
    known = known_of(bridge, row.run_id, artifact)
    if known is not None:
        return known
    if not _TURNS.acquire(timeout=_PATIENCE):
        return DrawnFile(problem="others are being drawn just now, so reload this page in a moment")
    try:
        bridge.blobs.path(row.digest)
        (found,) = draw_files(bridge, row.run_id, [artifact], until=math.inf)
        return found
    finally:
        _TURNS.release()


def known_of(bridge: Bridge, run_id: str, artifact: Artifact, *, also: str = "") -> DrawnFile | None:
    """What was drawn of a file for the run; None where nothing was.

    Args:
        bridge: Where it is kept.
        run_id: The run.
        artifact: The file.
        also: Another run, whose pictures of the same content become this one's too; empty for none.
    """
    with bridge.database.read() as session:
        found = _index(bridge, session, run_id, artifact)
        if found is not None or not also:
            return found
        found = _index(bridge, session, also, artifact)
        rows = [session.get(ArtifactRow, (also, PREVIEW, f"{one.digest}.png")) for one in _pictures(found)]
    if found is None or None in rows:
        return None
    pictures = [Artifact(path=row.path, digest=row.digest, size=row.size) for row in rows if row]
    return _kept(bridge, run_id, artifact, found, pictures)


def draw_files(
    bridge: Bridge, run_id: str, artifacts: Sequence[Artifact], *, until: float
) -> list[DrawnFile]:
    """What is in files of drawn kinds, drawn now and kept with the run.

    Args:
        bridge: Where the files are.
        run_id: The run.
        artifacts: The files; one whose content is gone has that as its problem.
        until: By `time.monotonic`; files that no time is left for say so.
    """
    allowed = preview_isolation_of(bridge.settings.limits)
    refused = [_refusal(bridge, artifact) for artifact in artifacts]
    tried = [artifact for artifact, problem in zip(artifacts, refused, strict=True) if not problem]
    drawn = iter(_drawn(bridge, run_id, tried, until, allowed))
    return [DrawnFile(problem=problem) if problem else next(drawn) for problem in refused]


def _refusal(bridge: Bridge, artifact: Artifact) -> str:
    if artifact.size > bridge.settings.limits.compared_file:
        return f"{artifact.size:,} bytes are more than what is looked into"
    try:
        bridge.blobs.path(artifact.digest)
    except FileNotFoundError:
        return "its content is no longer kept"
    return ""


def _drawn(
    bridge: Bridge, run_id: str, artifacts: Sequence[Artifact], until: float, allowed: IsolationLimits
) -> list[DrawnFile]:
    contents = [Content(path=one.path, place=bridge.blobs.path(one.digest)) for one in artifacts]
    with tempfile.TemporaryDirectory(prefix="reana-bridge-") as place:
        drawn = draw(contents, output=Path(place), limits=allowed, until=until)
        found: list[DrawnFile] = []
        for artifact, each in zip(artifacts, drawn, strict=True):
            if each is None:
                found.append(DrawnFile(problem="no time was left to draw it", lasting=False))
                continue
            kept = take_over(bridge, each.pictures, Path(place), most=_MOST)
            each = replace(each, pictures=tuple(one for one in each.pictures if one.digest in kept))
            found.append(_kept(bridge, run_id, artifact, each, list(kept.values())))
    return found


def _pictures(found: DrawnFile | None) -> Sequence[Picture]:
    return found.pictures if found else ()


def _name(artifact: Artifact) -> str:
    return f"{artifact.digest}.{VERSION}.json"


def _index(bridge: Bridge, session: Session, run_id: str, artifact: Artifact) -> DrawnFile | None:
    index = session.get(ArtifactRow, (run_id, PREVIEW, _name(artifact)))
    if index is None:
        return None
    try:
        return from_data(DrawnFile, json.loads(bridge.blobs.read(index.digest, _INDEX)))
    except (FileNotFoundError, ValueError, CodecError):  # let go of, or of another program: drawn anew
        return None


def _kept(
    bridge: Bridge, run_id: str, artifact: Artifact, found: DrawnFile, pictures: list[Artifact]
) -> DrawnFile:
    """The same, kept with the run where another attempt would give the same."""
    if not found.lasting:
        return found
    blob = bridge.blobs.put(io.BytesIO(json.dumps(to_data(found)).encode()), limit=_INDEX)
    index = Artifact(path=_name(artifact), digest=blob.digest, size=blob.size)
    with bridge.database.transaction() as session:
        for each in (*pictures, index):
            put_artifact(bridge.database, session, run_id, PREVIEW, each)
    return found
