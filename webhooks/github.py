"""Deliveries of GitHub: who sent them, and which they are; `webhooks.github_payloads` says what they mean.

A hook proves itself by `X-Hub-Signature-256`, the HMAC of the raw body. Nothing signs the time: a replay
is stopped by the delivery's id, and by effects that are keyed by commit and by comment. A secret is used as
the text that it is, also where it begins with `whsec_`.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

from webhooks import github_payloads
from webhooks.events import Event
from webhooks.fields import is_identity
from webhooks.signatures import Unverified, header

HARMLESS_HEADERS = frozenset(
    {
        "content-length",
        "content-type",
        "user-agent",
        "x-github-delivery",
        "x-github-enterprise-host",
        "x-github-enterprise-version",
        "x-github-event",
        "x-github-hook-id",
        "x-github-hook-installation-target-id",
        "x-github-hook-installation-target-type",
    }
)
"""Names, in lower case, of the headers that may be stored with a delivery."""

_SIGNATURE = re.compile(r"sha256=[0-9a-f]{64}", re.ASCII)


def sign(*, secret: str, body: bytes) -> str:
    """The value of `X-Hub-Signature-256` that proves `body`."""
    key = secret.encode("utf-8", "surrogatepass")
    return "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest()


def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: float) -> None:
    """Return when the delivery is authentic.

    Args:
        headers: As received; names in any case.
        body: The raw bytes.
        secrets: All that are valid now.
        now: Not used: GitHub signs no time.

    Raises:
        Unverified: It is not, and why.
    """
    usable = [secret for secret in secrets if secret]
    if not usable:
        raise Unverified("no webhook secret is configured for this forge")
    signature = header(headers, "x-hub-signature-256")
    if signature is None:
        raise Unverified("X-Hub-Signature-256 is missing: give the hook on GitHub a secret")
    if not _SIGNATURE.fullmatch(signature):
        raise Unverified("X-Hub-Signature-256 is not `sha256=` and 64 hexadecimal digits")
    received, matches = signature.encode("ascii"), False
    for secret in usable:
        matches |= hmac.compare_digest(sign(secret=secret, body=body).encode("ascii"), received)
    if not matches:
        raise Unverified("X-Hub-Signature-256 is not one of this body by a configured secret")


def delivery_id(headers: Mapping[str, str], body: bytes) -> str | None:
    """GitHub's identity of this delivery, the same when it is sent again; None where it sent none."""
    value = header(headers, "x-github-delivery")
    return value if value is not None and is_identity(value) else None


def parse(headers: Mapping[str, str], body: bytes) -> Event:
    """What an authentic delivery means; never raises. The kind of event stands in `X-GitHub-Event` alone."""
    return github_payloads.parse(header(headers, "x-github-event") or "", body)
