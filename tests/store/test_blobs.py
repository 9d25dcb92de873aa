import hashlib
import io
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reana_bridge.store.blobs import Blob, Blobs, TooLarge

LIMIT = 1 << 22


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "artifacts")


def put(blobs: Blobs, content: bytes, limit: int = LIMIT) -> Blob:
    return blobs.put(io.BytesIO(content), limit=limit)


def files(blobs: Blobs) -> list[Path]:
    return [path for path in blobs.root.rglob("*") if path.is_file()]


@pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 9000, "ü\0".encode()])
def test_content_comes_back_under_its_digest(blobs: Blobs, content: bytes) -> None:
    blob = put(blobs, content)
    assert blob == Blob(hashlib.sha256(content).hexdigest(), len(content))
    assert blobs.read(blob.digest) == content
    with blobs.open(blob.digest) as file:
        assert file.read() == content
    assert list(blobs.digests()) == [blob.digest]


def test_the_same_content_is_kept_once_also_when_put_at_once(blobs: Blobs) -> None:
    content = os.urandom(1 << 20)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: put(blobs, content), range(24)))) == 1
    assert len(files(blobs)) == 1


@pytest.mark.parametrize(("size", "limit"), [(11, 10), (LIMIT + 1, LIMIT), (1, 0)])
def test_too_much_is_refused_and_leaves_nothing(blobs: Blobs, size: int, limit: int) -> None:
    with pytest.raises(TooLarge, match=f"more than {limit} bytes"):
        put(blobs, b"x" * size, limit)
    assert files(blobs) == []


@pytest.mark.parametrize("size", [0, 10])
def test_exactly_the_limit_is_taken(blobs: Blobs, size: int) -> None:
    assert put(blobs, b"x" * size, size).size == size


class Breaking(io.BytesIO):
    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error
        self.reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.reads += 1
        if self.reads > 1:
            raise self.error
        return b"half of it"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_source_that_breaks_leaves_nothing(blobs: Blobs, error: BaseException) -> None:
    with pytest.raises(type(error)):
        blobs.put(Breaking(error), limit=LIMIT)
    assert files(blobs) == []


NAMES: list[Callable[[Blobs, str], object]] = [Blobs.open, Blobs.read, Blobs.remove]


@pytest.mark.parametrize("use", NAMES)
@pytest.mark.parametrize(
    "digest",
    ["", "../../etc/passwd", "a" * 63, "A" * 64, "a" * 65, "a" * 63 + "\n", "a" * 64 + "\n", "/" * 64],
)
def test_nothing_but_a_digest_names_a_file(blobs: Blobs, digest: str, use: Callable[..., object]) -> None:
    with pytest.raises(FileNotFoundError, match="is not a digest"):
        use(blobs, digest)


def test_what_is_absent_says_so_and_is_removed_without_a_word(blobs: Blobs) -> None:
    with pytest.raises(FileNotFoundError):
        blobs.open("0" * 64)
    blobs.remove("0" * 64)
    assert blobs.age("0" * 64, time.time()) == 0.0
    blob = put(blobs, b"x")
    blobs.remove(blob.digest)
    assert files(blobs) == []


def test_reading_stops_at_its_limit(blobs: Blobs) -> None:
    assert blobs.read(put(blobs, b"0123456789").digest, 4) == b"0123"


def test_content_that_is_put_again_is_young_again(blobs: Blobs) -> None:
    blob = put(blobs, b"x")
    (path,) = files(blobs)
    os.utime(path, (1000, 1000))
    assert blobs.age(blob.digest, 5000.0) == 4000.0
    put(blobs, b"x")
    assert blobs.age(blob.digest, time.time()) < 3600


def test_only_old_leftovers_of_crashes_are_cleaned(blobs: Blobs) -> None:
    kept = put(blobs, b"x")
    old, young = blobs.root / "incoming" / "old", blobs.root / "incoming" / "young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (1000, 1000))
    blobs.clean(older_than=2000)
    assert not old.exists()
    assert young.exists()
    assert list(blobs.digests()) == [kept.digest]


def test_a_directory_that_is_there_already_is_used(blobs: Blobs) -> None:
    blob = put(blobs, b"x")
    assert Blobs(blobs.root).read(blob.digest) == b"x"
    assert blobs.free() > 0
