"""Deliveries of GitLab: who sent them, and which they are; `webhooks.gitlab_payloads` says what they mean.

A hook proves itself by a signature (GitLab 19.0 and newer, https://www.standardwebhooks.com) or by a secret
token in a header. A signature that is there decides alone: a wrong one is never made good by a right token.
A signing secret `whsec_...` is taken as a plain token where no signature came, because an older GitLab
takes the same text as its token; where GitLab signs, that text never travels.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence

from webhooks import gitlab_payloads, signatures
from webhooks.events import Event
from webhooks.fields import is_identity
from webhooks.signatures import Unverified, header

HARMLESS_HEADERS = frozenset(
    {
        "content-length",
        "content-type",
        "idempotency-key",
        "user-agent",
        "webhook-id",
        "webhook-timestamp",
        "x-gitlab-event",
        "x-gitlab-event-uuid",
        "x-gitlab-instance",
        "x-gitlab-webhook-uuid",
    }
)
"""Names, in lower case, of the headers that may be stored with a delivery."""

_SIGNING = "whsec_"


def verify(headers: Mapping[str, str], body: bytes, *, secrets: Sequence[str], now: float) -> None:
    """Return when the delivery is authentic.

    Args:
        headers: As received; names in any case.
        body: The raw bytes.
        secrets: Signing secrets (`whsec_...`) and plain tokens that are valid now.
        now: UTC seconds since the epoch.

    Raises:
        Unverified: It is not, and why.
    """
    signing = [secret for secret in secrets if secret.startswith(_SIGNING)]
    if signing and header(headers, "webhook-signature") is not None:
        signatures.verify(headers, body, secrets=signing, now=now)
    else:
        _verify_token(header(headers, "x-gitlab-token"), secrets)


def delivery_id(headers: Mapping[str, str], body: bytes) -> str | None:
    """GitLab's identity of this delivery; None where it sent none.

    The first two stay the same when GitLab sends again. The third (before 17.4) does not, and some versions
    describe it as the hook's own: with the body's digest it never takes two deliveries for one.
    """
    for name in ("webhook-id", "idempotency-key"):
        value = header(headers, name)
        if value is not None and is_identity(value):
            return value
    attempt = header(headers, "x-gitlab-webhook-uuid")
    if attempt is not None and is_identity(attempt):
        return f"{attempt}:{hashlib.sha256(body).hexdigest()[:32]}"
    return None


def parse(headers: Mapping[str, str], body: bytes) -> Event:
    """What an authentic delivery means; never raises. Only the body counts: no signature covers headers."""
    return gitlab_payloads.parse(body)


def _verify_token(token: str | None, secrets: Sequence[str]) -> None:
    usable = [secret.encode("utf-8", "surrogatepass") for secret in secrets if secret]
    if not usable:
        raise Unverified("no webhook secret is configured for this forge")
    if token is None:
        raise Unverified("neither X-Gitlab-Token nor a signature by a configured secret came with it")
    received = _as_sent(token)
    matches = False
    for secret in usable:
        matches |= hmac.compare_digest(secret, received)
    if not matches:
        raise Unverified("X-Gitlab-Token is none of the configured secrets")


def _as_sent(value: str) -> bytes:
    """The bytes of a header's value, which servers decode as Latin-1."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass")
