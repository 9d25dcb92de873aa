"""Kept files as one ZIP archive, made while it is sent: no more than a piece of one file is in memory.

Files stand in it as they are, uncompressed and with one fixed date: the same run gives the same bytes.
"""

import io
import zipfile
from collections.abc import Iterable, Iterator

import structlog

from reana_bridge.store.blobs import Blobs
from reana_bridge.store.tables import ArtifactRow

_CHUNK = 256 * 1024
_DATE = (1980, 1, 1, 0, 0, 0)
_log = structlog.get_logger()


class _Pipe(io.RawIOBase):
    """Holds what was written until it is taken; cannot be sought, so that sizes follow their files."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: bytes, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        self._held += data
        return len(data)

    def take(self) -> bytes:
        """What was written since the last time."""
        held, self._held = bytes(self._held), bytearray()
        return held


def archive(blobs: Blobs, rows: Iterable[ArtifactRow]) -> Iterator[bytes]:
    """The bytes of an archive of `rows`, in their order; a file whose content is gone is left out."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_STORED, allowZip64=True) as target:
        for row in rows:
            try:
                source = blobs.open(row.digest)
            except FileNotFoundError:
                _log.warning("archive.gone", run=row.run_id, digest=row.digest)
                continue
            entry = zipfile.ZipInfo(row.path.encode("utf-8", "replace").decode(), _DATE)
            entry.external_attr = 0o644 << 16
            with source, target.open(entry, "w", force_zip64=True) as place:
                while chunk := source.read(_CHUNK):
                    place.write(chunk)
                    yield pipe.take()
    yield pipe.take()
