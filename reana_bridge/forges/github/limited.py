"""Cuts off answers without an end: PyGithub itself reads whatever comes, for as long as it comes.

Imported only together with PyGithub, which takes its time.
"""

import http.client
from collections.abc import Callable
from typing import Any, cast

import requests
import urllib3
from github.Requester import Requester, RequestsResponse

_CONNECTION_CLASS = "_Requester__connectionClass"


class AnswerTooLong(requests.ConnectionError):
    """An answer went on beyond the limit of bytes or seconds."""


def limit(requester: Requester, *, size: int, seconds: float, clock: Callable[[], float]) -> None:
    """Let no answer to `requester` be longer than `size` bytes or take more than `seconds` by `clock`."""
    inherited: Any = getattr(requester, _CONNECTION_CLASS)

    class Limited(inherited):
        """A connection whose answers end."""

        def getresponse(self) -> RequestsResponse:
            """The answer to the request, read to its end."""
            deadline = clock() + seconds
            response = cast(
                requests.Response,
                self.session.request(
                    self.verb,
                    f"{self.protocol}://{self.host}:{self.port}{self.url}",
                    headers=self.headers,
                    data=self.input,
                    timeout=self.timeout,
                    verify=self.verify,
                    allow_redirects=False,
                    stream=True,
                ),
            )
            content = _read(response, size, deadline, clock)
            # Where the library keeps what it has read, so that nothing is read again.
            setattr(response, "_content", content)  # noqa: B010
            response.encoding = "utf-8"
            return RequestsResponse(response)

    setattr(requester, _CONNECTION_CLASS, Limited)


def _read(response: requests.Response, size: int, deadline: float, clock: Callable[[], float]) -> bytes:
    content = bytearray()
    try:
        # What has come, not what was asked for: that would wait for all of it, however slowly it comes.
        while piece := response.raw.read1(1 << 16, decode_content=True):
            content += piece
            if len(content) > size or clock() > deadline:
                raise AnswerTooLong("an answer had no end or took too long")
    except (urllib3.exceptions.HTTPError, http.client.HTTPException) as error:
        raise requests.ConnectionError(error) from error
    finally:
        response.close()
    return bytes(content)
