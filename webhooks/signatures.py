"""Standard Webhooks signatures: signing and verifying raw bytes, nothing else.

Promises: bytes are compared in constant time, several secrets may be valid at once (rotation), an old or
future timestamp is refused, and whatever a sender puts into the headers leads to `Unverified` and to no
other exception. A signature does not stop a replay inside the time window: the receiver does, by keeping
every delivery id unique for longer than the window.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

TOLERANCE = 300.0
"""Seconds that a delivery's timestamp may be away from the receiver's clock."""

MAXIMUM_CANDIDATES = 16
"""Signatures that are looked at in one header."""

_PREFIX = "whsec_"
_IDENTITY = re.compile(r"[A-Za-z0-9_:+/=-]{1,200}", re.ASCII)
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)


class Unverified(Exception):
    """The delivery is not proven to come from the forge; `reason` is one sentence without secrets."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def header(headers: Mapping[str, str], name: str) -> str | None:
    """The value of the header `name`, whatever its case; None where it is missing."""
    value = headers.get(name)
    if value is None:
        value = next((value for key, value in headers.items() if key.lower() == name), None)
    return value


def key(secret: str) -> bytes:
    """The key that `secret` stands for: decoded after `whsec_`, its UTF-8 bytes otherwise.

    Raises:
        ValueError: It is empty, or what follows `whsec_` is not base64.
    """
    if not secret.startswith(_PREFIX):
        decoded = secret.encode("utf-8", "surrogatepass")
    else:
        try:
            decoded = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("the webhook secret is not base64 after `whsec_`") from error
    if not decoded:
        raise ValueError("the webhook secret is empty")
    return decoded


def sign(*, secret: str, delivery: str, timestamp: int, body: bytes) -> str:
    """The signature `v1,<base64>` of one delivery.

    Args:
        secret: Any text, or `whsec_<base64>`.
        delivery: The value of `webhook-id`.
        timestamp: UTC seconds since the epoch, the value of `webhook-timestamp`.
        body: Exactly the bytes that are sent.

    Raises:
        ValueError: The secret cannot be used.
    """
    content = f"{delivery}.{timestamp}.".encode() + body
    digest = hmac.new(key(secret), content, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode("ascii")


def signed_headers(*, secret: str, delivery: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a signed delivery; arguments and errors as for `sign`."""
    return {
        "webhook-id": delivery,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(secret=secret, delivery=delivery, timestamp=timestamp, body=body),
    }


def identity(headers: Mapping[str, str]) -> str | None:
    """The value of `webhook-id`; None where it is missing or not one that a forge would send."""
    value = header(headers, "webhook-id")
    return value if value is not None and _IDENTITY.fullmatch(value) else None


def verify(
    headers: Mapping[str, str],
    body: bytes,
    *,
    secrets: Sequence[str],
    now: float,
    tolerance: float = TOLERANCE,
) -> None:
    """Return when one of `secrets` signed this very `body` not longer than `tolerance` seconds ago.

    Args:
        headers: As received; names in any case.
        body: The raw bytes, before anything else looked at them.
        secrets: All that are valid now; with none, everything is refused.
        now: UTC seconds since the epoch.
        tolerance: Seconds, to both sides.

    Raises:
        Unverified: It is not proven, and why.
    """
    delivery, timestamp, signature = _signed_parts(headers)
    if abs(now - timestamp) > tolerance:
        raise Unverified(
            f"webhook-timestamp is {now - timestamp:+.0f} s off this server's clock "
            f"(at most {tolerance:.0f} s are allowed): an old delivery, or a clock that is wrong"
        )
    # Candidates may hold any character; as bytes they can be compared without an exception.
    candidates = [part.encode("utf-8", "surrogatepass") for part in signature.split(" ") if part]
    if len(candidates) > MAXIMUM_CANDIDATES:
        raise Unverified(f"webhook-signature holds more than {MAXIMUM_CANDIDATES} signatures")
    usable = [secret for secret in secrets if _is_usable(secret)]
    if not usable:
        raise Unverified("no webhook secret is configured for this forge")
    matches = False
    for secret in usable:
        expected = sign(secret=secret, delivery=delivery, timestamp=timestamp, body=body).encode("ascii")
        for candidate in candidates:
            matches |= hmac.compare_digest(expected, candidate)
    if not matches:
        raise Unverified("no signature in webhook-signature is one of this body by a configured secret")


def _signed_parts(headers: Mapping[str, str]) -> tuple[str, int, str]:
    delivery = header(headers, "webhook-id")
    timestamp = header(headers, "webhook-timestamp")
    signature = header(headers, "webhook-signature")
    if delivery is None or timestamp is None or signature is None:
        raise Unverified("webhook-id, webhook-timestamp and webhook-signature must all be there")
    if not _IDENTITY.fullmatch(delivery):
        raise Unverified("webhook-id is not 1 to 200 letters, digits or any of _:+/=-")
    if not _TIMESTAMP.fullmatch(timestamp):
        raise Unverified("webhook-timestamp is not a number of seconds since the epoch")
    return delivery, int(timestamp), signature


def _is_usable(secret: str) -> bool:
    try:
        key(secret)
    except ValueError:
        return False
    return True
