"""Draws PDF and ROOT files that somebody looks at, once each content and run, and keeps what was drawn.

Promises: a file is opened only in isolation, with less time than a comparison has; of one process only
`_AT_ONCE` are drawn at once, whoever else asks is told to come again; what a file itself is to blame for is
kept like a picture, so that it is not tried at each look.
"""

import io
import json
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

from sqlalchemy.orm import Session

from reana_bridge.model.codec import CodecError, from_data, to_data
from reana_bridge.model.drawn import DrawnFile
from reana_bridge.model.results import Artifact
from reana_bridge.results import files
from reana_bridge.results.drawing.previews import KINDS
from reana_bridge.results.isolation import IsolationFailed, run
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.comparing.pictures import take_over
from reana_bridge.store.artifacts import put_artifact
from reana_bridge.store.tables import ArtifactRow

PREVIEW = "preview"
VERSION = 1
"""Counted up with any change of what is drawn."""
_AT_ONCE = 2
_PATIENCE = 2.0  # seconds
_INDEX = 64 << 10  # bytes
_TURNS = threading.BoundedSemaphore(_AT_ONCE)


def is_drawn(path: str) -> bool:
    """Whether a file of this name is shown by pictures that are made of it."""
    return files.kind_of(path) in KINDS


def drawn_file(bridge: Bridge, row: ArtifactRow) -> DrawnFile:
    """What is in a kept file of a drawn kind, from what was kept of it, or drawn now.

    No session may be open: it can take a while.

    Raises:
        FileNotFoundError: Its content is gone.
    """
    with bridge.database.read() as session:
        known = _known(bridge, session, row)
    if known is not None:
        return known
    if row.size > bridge.settings.limits.compared_file:
        return DrawnFile(problem=f"{row.size:,} bytes are more than what is looked into")
    if not _TURNS.acquire(timeout=_PATIENCE):
        return DrawnFile(problem="others are being drawn just now, so reload this page in a moment")
    try:
        return _drawn(bridge, row)
    finally:
        _TURNS.release()


def _index(row: ArtifactRow) -> str:
    return f"{row.digest}.{VERSION}.json"


def _known(bridge: Bridge, session: Session, row: ArtifactRow) -> DrawnFile | None:
    index = session.get(ArtifactRow, (row.run_id, PREVIEW, _index(row)))
    if index is None:
        return None
    try:
        return from_data(DrawnFile, json.loads(bridge.blobs.read(index.digest, _INDEX)))
    except (FileNotFoundError, ValueError, CodecError):  # let go of, or of another program: drawn anew
        return None


def _drawn(bridge: Bridge, row: ArtifactRow) -> DrawnFile:
    limits = bridge.settings.limits
    allowed = replace(bridge.isolation, seconds=min(limits.isolated_seconds, limits.preview_seconds))
    inputs = {"file": bridge.blobs.path(row.digest)}
    with tempfile.TemporaryDirectory(prefix="reana-bridge-") as place:
        job = {"kind": files.kind_of(row.path)}
        try:
            answer = run("preview", job, inputs=inputs, output=Path(place), limits=allowed)
            found = from_data(DrawnFile, answer)
        except IsolationFailed as failed:
            if "ModuleNotFoundError" in str(failed):  # no fault of the file's
                return DrawnFile(problem="that needs the extras `plots` and `root` on the server")
            found = DrawnFile(problem=str(failed))
        except CodecError:  # what has read a hostile file is not trusted to answer well
            found = DrawnFile(problem="what drew it gave no answer that can be read")
        kept = take_over(bridge, found.pictures, Path(place))
    found = replace(found, pictures=tuple(one for one in found.pictures if one.digest in kept))
    return _kept(bridge, row, found, list(kept.values()))


def _kept(bridge: Bridge, row: ArtifactRow, found: DrawnFile, pictures: list[Artifact]) -> DrawnFile:
    """The same, kept with the run."""
    blob = bridge.blobs.put(io.BytesIO(json.dumps(to_data(found)).encode()), limit=_INDEX)
    index = Artifact(path=_index(row), digest=blob.digest, size=blob.size)
    with bridge.database.transaction() as session:
        for each in (*pictures, index):
            put_artifact(bridge.database, session, row.run_id, PREVIEW, each)
    return found
