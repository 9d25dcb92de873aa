"""The HTTP session under python-gitlab: no redirects, an end in time and size, and what headers told.

Promises: the token goes to the configured address alone (a redirect is an answer, not a way); an answer that
drips or has no end is cut off; the last answer's rate limit and clock are kept for who asks.
"""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

from reana_bridge.forges.base import Allowance
from reana_bridge.forges.telling import date_seconds

ANSWER_LIMIT = 32 * 1024**2
"""Bytes of one answer."""


class AnswerTooLong(requests.ConnectionError):
    """An answer went on beyond the limit of bytes or seconds."""


@dataclass
class Heard:
    """What answers told beside their content; shared by the sessions of one forge.

    Attributes:
        allowance: The rate limit; None while no answer named it.
        clock_offset: Seconds that the forge's clock is ahead of ours; None while unknown.
    """

    allowance: Allowance | None = None
    clock_offset: float | None = None

    def listen(self, headers: Any, now: float) -> None:
        """Take from an answer's headers what is there; `now` is UTC seconds."""
        remaining, most = _number(headers.get("RateLimit-Remaining")), _number(headers.get("RateLimit-Limit"))
        if remaining is not None and most is not None:
            reset_at = _number(headers.get("RateLimit-Reset"))
            self.allowance = Allowance(remaining=int(remaining), limit=int(most), reset_at=reset_at)
        if (date := date_seconds(headers.get("Date"))) is not None:
            self.clock_offset = date - now


class LimitedSession(requests.Session):
    """A session for one thread at a time; `last` are the headers of the last answer."""

    def __init__(self, heard: Heard, *, total: float, clock: Callable[[], float] = time.time) -> None:
        """Args: `total` is the seconds that one answer may take to its end."""
        super().__init__()
        self._heard = heard
        self._total = total
        self._clock = clock
        self.last: Any = {}

    def request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """One request, its answer read to the end; see `requests.Session.request`.

        Raises:
            AnswerTooLong: It was cut off.
            requests.RequestException: No answer.
        """
        self.last = {}
        kwargs |= {"allow_redirects": False, "stream": True}
        deadline = time.monotonic() + self._total
        response = super().request(method, url, *args, **kwargs)
        # Read by hand, as a time limit of the library counts from one piece to the next.
        content = bytearray()
        try:
            for piece in response.raw.stream(1 << 16, decode_content=True):
                content += piece
                if len(content) > ANSWER_LIMIT or time.monotonic() > deadline:
                    response.close()
                    raise AnswerTooLong(f"an answer of more than {ANSWER_LIMIT} bytes or {self._total:.0f} s")
        except AnswerTooLong:
            raise
        except OSError as error:
            raise requests.ConnectionError(error) from error
        except Exception as error:
            if type(error).__module__.startswith("urllib3"):
                raise requests.ConnectionError(error) from error
            raise
        response.raw = io.BytesIO(bytes(content))
        self.last = response.headers
        self._heard.listen(response.headers, self._clock())
        return response


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None
