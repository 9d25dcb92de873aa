"""How a picture is kept: as a PNG under the digest of its content."""

import hashlib
from pathlib import Path

from reana_bridge.model.drawn import Picture
from reana_bridge.results.readers.clean import one_line

MAX_TITLE = 300


def keep(content: bytes, *, place: Path, shows: str, title: str) -> Picture:
    """The PNG `content` as a picture, written to the directory `place` under its digest.

    Args:
        content: A PNG.
        place: Where it goes.
        shows: `baseline`, `head`, `difference` or `overlay`; `head` for a picture that stands alone.
        title: What it shows, for those who do not see it; made one line.
    """
    digest = hashlib.sha256(content).hexdigest()
    (place / digest).write_bytes(content)
    return Picture(shows=shows, title=one_line(title, MAX_TITLE), digest=digest)
