"""What goes wrong between the bridge and a REANA server."""

from reana_bridge.backends.base import BackendError, BackendUnavailable


class ReanaError(BackendError):
    """The server did not do what was asked.

    Attributes:
        status: Of the answer; 0 where none came.
        said: The server's own words; empty where it said nothing.
        sent: Whether it may have done it all the same.
    """

    def __init__(self, message: str, *, status: int = 0, said: str = "", sent: bool = True) -> None:
        super().__init__(message)
        self.status = status
        self.said = said
        self.sent = sent


class Away(ReanaError, BackendUnavailable):
    """Nothing came from the server, or what only a server in trouble says (502, 503, 504)."""


class NotAccepted(ReanaError, BackendUnavailable):
    """The account's token is not (or no more) accepted."""


class NotThere(ReanaError):
    """There is no such workflow, workspace or file."""


class OverQuota(ReanaError, BackendUnavailable):
    """The account has used up its quota."""


_GENTLE = (
    (("quota exceeded",), OverQuota),
    (("token is not valid", "not signed in", "token not valid", "no active token"), NotAccepted),
    (("but that workflow does not exist", "workspace does not exist"), NotThere),
)


def error_of(what: str, status: int, said: str) -> ReanaError:
    """The error that an answer means; REANA spreads its refusals over many statuses, so words count too.

    Args:
        what: What was asked, as `start the workflow`.
        status: Of the answer.
        said: The server's words.
    """
    words = said.lower()
    message = f"REANA did not {what}: {status} {said}".rstrip(" .")
    for known, kind in _GENTLE:
        if any(word in words for word in known):
            return kind(message, status=status, said=said, sent=False)
    if status == 401:
        return NotAccepted(message, status=status, said=said, sent=False)
    if status == 404:
        return NotThere(message, status=status, said=said, sent=False)
    if status in (502, 503, 504):
        return Away(message, status=status, said=said)
    return ReanaError(message, status=status, said=said, sent=status >= 500)
