"""What writing to a hosted forge needs: texts within limits, what was remembered, answers that never came."""

from email.utils import parsedate_to_datetime
from typing import Any

from reana_bridge.forges.base import Posted


class NoAnswer(Exception):
    """No answer came; `sent` says whether the request may have arrived."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


def never_left(error: BaseException) -> bool:
    """Whether the connection was never made, so that nothing can have happened; of an error of requests."""
    import requests  # not before something failed: a start saves the time

    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.SSLError):
        return True
    return "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error)


def date_seconds(text: Any) -> float | None:
    """UTC seconds of an HTTP date; None where it is none."""
    try:
        return parsedate_to_datetime(str(text)).timestamp() if text else None
    except ValueError:
        return None


def settled(posted: Posted) -> Posted:
    """What was remembered, without the mark that a later call got no answer."""
    return {name: value for name, value in posted.items() if name != "unsure"}


def shortened(text: str, limit: int) -> str:
    """`text` on one line, of at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
