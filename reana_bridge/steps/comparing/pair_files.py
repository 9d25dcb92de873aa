"""What became of the files and series of any two runs, with pictures: looked into once, while somebody waits.

Promises: of one process only `_TURNS` pairs are looked into at once, each within `limits.pair_seconds`; what
came of it is kept with the second run, under both runs' ids and all that it was made from, and goes with
either of them; what no time was left for, or a library was missing for, is tried when it is asked for again.
"""

import hashlib
import io
import json
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any, cast

from sqlalchemy import delete

from reana_bridge.model.analyses import Analysis
from reana_bridge.model.codec import CodecError, from_data, to_data
from reana_bridge.model.results import Artifact
from reana_bridge.steps.bridge import Bridge
from reana_bridge.steps.comparing.files import Left, Looked, look_into
from reana_bridge.steps.comparing.limits import limits_while_waited_for
from reana_bridge.steps.comparing.series import Drawn, draw_series
from reana_bridge.store.artifacts import artifact_row
from reana_bridge.store.blobs import TooLarge
from reana_bridge.store.tables import ArtifactRow

PAIR = "pair"
VERSION = 1
"""Counted up with any change of what is looked into or drawn."""
_TURNS = threading.BoundedSemaphore(2)
_artifact = cast(Any, ArtifactRow)


@dataclass(frozen=True, kw_only=True)
class PairFiles:
    """What was looked into of two runs so far.

    Attributes:
        looked: Their files.
        series: What was drawn of their metrics; None before that.
    """

    looked: Looked = field(default_factory=Looked)
    series: Drawn | None = None

    @property
    def done(self) -> frozenset[str]:
        """Paths of the files of which another look would give the same."""
        wanting = {path for path, content in self.looked.contents.items() if not content.lasting}
        files = self.looked.files or ()
        return frozenset(each.path for each in files if each.lasting and each.path not in wanting)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left to look into."""
        return self.series is not None and len(self.done) == len(self.looked.files or ())


def pair_files(bridge: Bridge, before: Left, after: Left, analysis: Analysis) -> PairFiles:
    """The files of `after` against those of `before`, by what `analysis` says of them.

    No session may be open: it can take a while.
    """
    name = _index(before, after, analysis)
    known = _known(bridge, after.run_id, name) or PairFiles()
    if known.is_whole:
        return known
    limits = limits_while_waited_for(bridge.settings.limits)
    turn = _TURNS.acquire(timeout=limits.seconds)
    try:
        until = time.monotonic() + limits.seconds
        allowed = limits if turn else replace(limits, seconds=0)
        old, new = _without(before, known.done), _without(after, known.done)
        found = _added(known, look_into(bridge, old, new, analysis, limits=allowed, apart=True))
        if found.series is None and turn and time.monotonic() < until:
            found = replace(found, series=draw_series(bridge, before.result, after.result))
        if turn:
            _keep(bridge, before.run_id, after.run_id, name, found)
        return found
    finally:
        if turn:
            _TURNS.release()


def _without(side: Left, done: frozenset[str]) -> Left:
    artifacts = tuple(each for each in side.result.artifacts if each.path not in done)
    return replace(side, result=replace(side.result, artifacts=artifacts))


def _added(known: PairFiles, more: Looked) -> PairFiles:
    """What was known for good, and what was looked into now."""
    old, done = known.looked, known.done
    kept = tuple(each for each in old.files or () if each.path in done)
    contents = {path: content for path, content in old.contents.items() if path in done}
    looked = Looked(
        files=(*kept, *(more.files or ())),
        pictures=(*old.pictures, *more.pictures),
        contents=contents | more.contents,
    )
    return replace(known, looked=looked)


def picture_name(before_id: str, digest: str) -> str:
    """What a picture of the pair is called among the second run's files."""
    return f"{before_id}/{digest}.png"


def _index(before: Left, after: Left, analysis: Analysis) -> str:
    made_from = [VERSION, *map(to_data, (analysis, before.result, after.result))]
    digest = hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
    return f"{before.run_id}/{digest}.json"


def _known(bridge: Bridge, run_id: str, name: str) -> PairFiles | None:
    with bridge.database.read() as session:
        index = session.get(ArtifactRow, (run_id, PAIR, name))
    if index is None:
        return None
    try:
        return from_data(PairFiles, json.loads(bridge.blobs.read(index.digest, index.size)))
    except (FileNotFoundError, ValueError, CodecError):  # let go of, or of another program: made anew
        return None


def _keep(bridge: Bridge, before_id: str, after_id: str, name: str, found: PairFiles) -> None:
    """Let the pair's pictures be these and no others."""
    try:
        content = json.dumps(to_data(found)).encode()
        blob = bridge.blobs.put(io.BytesIO(content), limit=bridge.settings.limits.isolated_output)
    except TooLarge:  # it is made again whenever it is asked for
        return
    index = Artifact(path=name, digest=blob.digest, size=blob.size)
    series = found.series.kept if found.series else ()
    pictures = {each.digest: each for each in (*found.looked.pictures, *series)}
    named = [replace(each, path=picture_name(before_id, digest)) for digest, each in pictures.items()]
    mine = (_artifact.run_id == after_id, _artifact.kind == PAIR, _artifact.path.startswith(f"{before_id}/"))
    with bridge.database.transaction() as session:
        session.execute(delete(ArtifactRow).where(*mine))
        session.add_all(artifact_row(after_id, PAIR, each) for each in (index, *named))
