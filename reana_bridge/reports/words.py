"""Small words of a report: counts, spans of time, sizes, moments in UTC, commits."""

import math
import re
from datetime import UTC, datetime

_MERGE_REQUEST = re.compile(r"refs/(?:merge-requests|pull)/(\d+)/head")


def plural(count: int, noun: str, nouns: str = "") -> str:
    """`1 metric`, `2 metrics`; `nouns` where the plural is not made with an s."""
    return f"{count} {noun if count == 1 else nouns or noun + 's'}"


def share(count: int, total: int, noun: str, *, one: str, many: str) -> str:
    """`1 of 14 metrics is missing`; `the metric is missing` where there is only that one."""
    verb = one if count == 1 else many
    if total == 1:
        return f"the {noun} {one}"
    return f"all {total} {noun}s {many}" if count == total else f"{count} of {total} {noun}s {verb}"


def duration(seconds: float) -> str:
    """A span of time in one or two units: `0.4 s`, `12 s`, `2 min 5 s`, `3 h 20 min`."""
    if not math.isfinite(seconds):
        return "an unknown time"
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 and whole < 600 else "")
    return f"{whole // 3600} h" + (f" {whole % 3600 // 60} min" if whole % 3600 // 60 else "")


def span(start: float | None, end: float | None) -> str:
    """The time from `start` to `end`; empty where one of them is not known."""
    return "" if start is None or end is None else duration(end - start)


def moment(timestamp: float) -> str:
    """A moment, to the minute: `2026-11-22 14:05 UTC`; `timestamp` counts UTC seconds since the epoch."""
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return "at an unknown time"


def size(count: int) -> str:
    """Bytes as `812 B`, `4.2 KiB`, `1.5 MiB`."""
    if count < 1024:
        return f"{count} B"
    amount, unit = count / 1024, "KiB"
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            break
        amount /= 1024
    return f"{amount:.3g} {unit}"


def short_sha(sha: str) -> str:
    """The first seven digits of a commit."""
    return sha[:7]


def ref_name(ref: str) -> str:
    """A branch's or tag's name; of a merge request's ref its number, `!12`."""
    number = _MERGE_REQUEST.fullmatch(ref)
    if number:
        return f"!{number[1]}"
    return short_ref(ref)


def short_ref(ref: str) -> str:
    """The branch's or tag's name without `refs/heads/` or `refs/tags/`; another ref as it is."""
    return ref.removeprefix("refs/heads/").removeprefix("refs/tags/")


def shorten(text: str, limit: int) -> str:
    """`text`, or its beginning and an ellipsis, in at most `limit` characters."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)].rstrip() + "…"[:limit]
