"""An order: a run that a person or the clock asks for, on its way through the same door as a webhook."""

import json
from dataclasses import dataclass, field
from enum import StrEnum

from reana_bridge.model.analyses import Value
from reana_bridge.model.codec import from_data, to_data
from reana_bridge.model.restarts import Restart


class OrderKind(StrEnum):
    """Who asks."""

    MANUAL = "manual"
    SCHEDULE = "schedule"
    COMMAND = "command"
    BASELINE = "baseline"
    """A comparison that lacks it."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is asked for.

    Attributes:
        kind: Who asks.
        project: The repository's path on its forge.
        ref: The full ref whose head is meant; empty where `sha` says which commit.
        sha: The commit; empty for the head of `ref`.
        analysis: Its name; empty for every analysis of the project that allows it.
        parameters: Over the analysis' own.
        actor: Who asked, for the decision's record.
        again: Whether to run although there is a result already.
        baseline: The commit to compare with; empty for the usual choice.
        command: In a comment or by a button: `run`, `retest`, `cancel`, `approve`, `status`, `why`,
            `compare`, `accept` or `help`; empty else.
        argument: What `approve`, `compare` or `accept` is followed by, or why a `help` is needed.
        merge_request: Where the comment stands; None for no merge request.
        comment: The forge's id of the comment, to answer to; empty for none.
        actor_id: The forge's id of who asked.
        place: Which of the comment's commands it is, from 0.
        restart: What the one run of it takes up; None to begin anew.
        reason: With `accept`, why.
        heard_at: When the comment came in, UTC seconds by the database's clock; 0 where nobody heard one.
    """

    kind: OrderKind
    project: str
    ref: str = ""
    sha: str = ""
    analysis: str = ""
    parameters: dict[str, Value] = field(default_factory=dict[str, Value])
    actor: str = ""
    again: bool = True
    baseline: str = ""
    command: str = ""
    argument: str = ""
    merge_request: int | None = None
    comment: str = ""
    actor_id: str = ""
    place: int = 0
    restart: Restart | None = None
    reason: str = ""
    heard_at: float = 0.0

    def body(self) -> bytes:
        """As the body of a delivery; `read` is its inverse."""
        return json.dumps(to_data(self), sort_keys=True).encode()

    @staticmethod
    def read(body: bytes) -> "Order":
        """The order that `body` holds (written by `body`, so never from outside)."""
        return from_data(Order, json.loads(body))
