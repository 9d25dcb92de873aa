"""An order: a run that a person or the clock asks for, on its way through the same door as a webhook."""

import json
from dataclasses import dataclass, field
from enum import StrEnum

from reana_bridge.model.analyses import Value
from reana_bridge.model.codec import from_data, to_data


class OrderKind(StrEnum):
    """Who asks."""

    MANUAL = "manual"
    SCHEDULE = "schedule"


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

    def body(self) -> bytes:
        """As the body of a delivery; `read` is its inverse."""
        return json.dumps(to_data(self), sort_keys=True).encode()

    @staticmethod
    def read(body: bytes) -> "Order":
        """The order that `body` holds (written by `body`, so never from outside)."""
        return from_data(Order, json.loads(body))
